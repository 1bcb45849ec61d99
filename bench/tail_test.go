package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestTailRows(t *testing.T) {
	ok := func(p50, p99, longest float64) turn {
		return turn{report: Report{AckLatency: LatencyReport{P50: p50, P99: p99, P999: 2 * p99, Max: longest}, PeakRSS: 1 << 20}}
	}
	failed := turn{err: errors.New("it fell over")}
	a := []turn{ok(10, 100, 1000), failed, ok(30, 300, 500), ok(20, 200, 700)}
	b := []turn{ok(5, 100, 1), ok(1, 1, 1), failed, ok(20, 50, 1)}
	row := newTailRow("a", 1000, a)
	want := TailRow{What: "a", Rate: 1000, P50: 20, P99: 200, P999: 400, Longest: 1000, PeakRSS: 1 << 20, Failed: "it fell over", Turns: 3}
	if row != want {
		t.Errorf("got %+v", row)
	}
	if r := medianRatio(a, b, func(l LatencyReport) float64 { return l.P50 }); r != 1.5 {
		t.Errorf("got %g, want that of 10 ÷ 5 and 20 ÷ 20", r)
	}
	if r := medianRatio(a, []turn{failed, failed, failed, failed}, func(l LatencyReport) float64 { return l.P50 }); r != 0 {
		t.Errorf("got %g", r)
	}
	report := TailReport{Quiet: []TailRow{row}, Disturbed: []TailRow{row, newTailRow("b", 1000, []turn{failed})}}
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1000 a (3 turns; others failed: it fell over) 20.0 200 400 1000",
		"a (3 turns; others failed: it fell over) 20.0 200 400 1000 5600 1.00",
		"b (0 turns; others failed: it fell over) 5600 0",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
}

// Each frame of a flood is as large as it may be. What HAProxy cannot send is
// known for that once it is read as a NOTIFY.
func TestFloodFrames(t *testing.T) {
	f := func(name string, frame []byte, want error) {
		t.Helper()
		parsed, err := codec.ParseFrame(frame[codec.LenSize:])
		if err != nil || int(codec.FrameLen(frame)) != len(frame)-codec.LenSize || parsed.StreamID != firstStreamID {
			t.Errorf("%s: %v, stream %d", name, err, parsed.StreamID)
		}
		if size := len(frame) - codec.LenSize; size > floodFrame || size < floodFrame-32 {
			t.Errorf("%s: %d bytes", name, size)
		}
		if _, _, err := codec.AppendRequests(nil, parsed.Payload); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("bodies", bodyFrame(), nil)
	f("fields", fieldsFrame(), codec.ErrOversize)
	f("messages", messagesFrame(), codec.ErrOversize)
}

func TestPeersHaveAddressesOfTheirOwn(t *testing.T) {
	l := testLoad()
	l.Connections, l.peers = 3, 2
	g := mustDial(t, ackAgent{}.start(t), l)
	defer g.close()
	var from []string
	for _, c := range g.conns {
		host, _, err := net.SplitHostPort(c.nc.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		from = append(from, host)
	}
	if got := strings.Join(from, " "); got != "127.0.1.1 127.0.1.2 127.0.1.1" {
		t.Errorf("got %s", got)
	}
}

func TestBurst(t *testing.T) {
	g := mustDial(t, ackAgent{}.start(t), Load{Connections: 1, InFlight: 1000, Headers: 8, Body: 10, Duration: time.Second})
	defer g.close()
	g.start(time.Now())
	if err := g.conns[0].burst(); err != nil {
		t.Fatal(err)
	}
	if sent, acked := g.Progress(); sent != 1000 || acked != 1000 {
		t.Errorf("%d sent, %d acknowledged", sent, acked)
	}
}

// A process whose log is stuck waits as soon as it writes a line.
func TestFullPipe(t *testing.T) {
	read, write, err := fullPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if err := write.SetWriteDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := write.Write(make([]byte, 4<<10)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes were written: %v", n, err)
	}
}

func TestWhatIsBesideTheLoad(t *testing.T) {
	ended := false
	ctx, end := goBeside(t.Context(), func(ctx context.Context) error {
		<-ctx.Done()
		ended = true
		return nil
	})
	if end(); !ended || ctx.Err() != nil {
		t.Errorf("ended: %t, %v", ended, context.Cause(ctx))
	}
	ctx, end = goBeside(t.Context(), func(context.Context) error { return io.ErrUnexpectedEOF })
	defer end()
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}
