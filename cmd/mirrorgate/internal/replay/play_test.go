package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tape is a source of blocks.
type tape [][]record.Record

func (t *tape) Next() ([]record.Record, error) {
	if len(*t) == 0 {
		return nil, io.EOF
	}
	block := (*t)[0]
	*t = (*t)[1:]
	return block, nil
}

// at makes a block of requests that arrived so many milliseconds after an hour.
func at(millis ...int) (block []record.Record) {
	for _, ms := range millis {
		block = append(block, record.Record{
			Time: hour.Add(time.Duration(ms) * time.Millisecond).UnixNano(), Took: -1,
			Wire: fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nhost: h\r\n\r\n", ms),
		})
	}
	return block
}

var hour = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// sink notes when which request came; while closed is set nothing fits.
type sink struct {
	begun  time.Time
	got    []string
	closed atomic.Bool
	slow   time.Duration
}

func (s *sink) Submit(reqs []codec.Request) {
	for _, r := range reqs {
		s.got = append(s.got, fmt.Sprintf("%v:%s", time.Since(s.begun).Milliseconds(), r.Target[1:]))
	}
	time.Sleep(s.slow)
}

func (s *sink) Fits(int, int64) bool { return !s.closed.Load() }

func TestPlay(t *testing.T) {
	f := func(what string, p Player, slow time.Duration, want string, blocks ...[]record.Record) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{begun: time.Now(), slow: slow}
			p.Sink, p.Batch, p.Progress = s, MaxBatch, func() {}
			source := tape(blocks)
			if err := p.Play(context.Background(), &source); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			got := strings.Join(s.got, " ")
			if p.Speed > 0 {
				got += fmt.Sprintf(" late %d", p.Lateness.Late)
			}
			if got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		})
	}
	one := Player{Speed: 1}
	f("as recorded", one, 0, "0:100 50:150 50:150 1900:2000 late 0", at(100, 150, 150), at(2000))
	f("twice as fast", Player{Speed: 2}, 0, "0:100 25:150 950:2000 late 0", at(100, 150), at(2000))
	f("slower", Player{Speed: .5}, 0, "0:100 100:150 late 0", at(100, 150))
	f("out of order", one, 0, "0:100 50:150 50:140 60:160 late 1", at(100, 150, 140, 160))
	f("the clock was set back", one, 0, "0:5000 50:5050 50:100 150:200 late 0", at(5000, 5050), at(100, 200))
	f("a slow sink is late", one, 30*time.Millisecond, "0:0 30:10 30:20 60:55 late 2", at(0, 10, 20), at(55))
	f("max", Player{}, 0, "0:100 0:150 0:2000", at(100, 150), at(2000))
	start := Player{Speed: 2, Origin: hour}
	synctest.Test(t, func(t *testing.T) {
		start.Start = time.Now().Add(time.Second)
		s := &sink{begun: time.Now()}
		start.Sink, start.Batch, start.Progress = s, MaxBatch, func() {}
		source := tape{at(100, 200)}
		if err := start.Play(context.Background(), &source); err != nil || fmt.Sprint(s.got) != "[1050:100 1100:200]" {
			t.Errorf("from a start: %v, %v", s.got, err)
		}
	})
}

func TestPlayStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{begun: time.Now()}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		progress := 0
		p := Player{Sink: s, Batch: MaxBatch, Speed: 1, Progress: func() { progress++ }}
		source := tape{at(0, 5000)}
		if err := p.Play(ctx, &source); !errors.Is(err, errStopped) || p.Played != 1 || progress < 2 {
			t.Errorf("%v, %d played, progress %d times", err, p.Played, progress)
		}
		closed := &sink{}
		closed.closed.Store(true)
		p = Player{Sink: closed, Batch: MaxBatch, Progress: func() {}}
		source = tape{at(0, 5000)}
		if err := p.Play(ctx, &source); !errors.Is(err, errStopped) || p.Played != 0 {
			t.Errorf("%v, %d played", err, p.Played)
		}
	})
}

// With max the reader waits for room, and goes on with it.
func TestPlayWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{begun: time.Now()}
		s.closed.Store(true)
		time.AfterFunc(10*time.Millisecond, func() { s.closed.Store(false) })
		p := Player{Sink: s, Batch: 1, Progress: func() {}}
		source := tape{at(0, 1)}
		if err := p.Play(context.Background(), &source); err != nil || !slices.Equal(s.got, []string{"10:0", "10:1"}) {
			t.Errorf("%v, %v", s.got, err)
		}
	})
}

func TestRequest(t *testing.T) {
	f := func(wire string, want codec.Request) {
		t.Helper()
		r := record.Record{Wire: []byte(wire), Took: -1}
		if got, _ := request(&r, nil); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%q: %+v, want %+v", wire, got, want)
		}
	}
	ok := func(method, target, body string, fields ...string) codec.Request {
		q := codec.Request{Method: []byte(method), Target: []byte(target), Version: []byte("1.1"), Body: []byte(body), BodySize: -1}
		for i := 0; i < len(fields); i += 2 {
			q.Headers.Raw = codec.AppendHeader(q.Headers.Raw, fields[i], fields[i+1])
		}
		q.Headers.Raw = codec.AppendHeadersEnd(q.Headers.Raw)
		return q
	}
	bad := codec.Request{Reject: codec.RejectMalformed}
	f("GET /a?b HTTP/1.1\r\nhost: h\r\n\r\n", ok("GET", "/a?b", "", "host", "h"))
	f("GET / HTTP/1.1\r\n\r\n", ok("GET", "/", ""))
	f("POST / HTTP/1.1\r\na: b\r\nc: d\r\n\r\nx\r\n\r\ny", ok("POST", "/", "x\r\n\r\ny", "a", "b", "c", "d"))
	f("", bad)
	f("GET / HTTP/1.1\r\nhost: h\r\n", bad)
	f("GET\r\n\r\n", bad)
	f("GET / HTTP/1.1\r\nnonsense\r\n\r\n", bad)
	f("GET /\r\n\r\n", bad)
	r := record.Record{Wire: []byte("GET / HTTP/1.1\r\n\r\n"), ID: []byte("id"), Status: 503, Took: 7, Client: netip.MustParseAddr("192.0.2.1")}
	q, _ := request(&r, nil)
	if p := q.Production; p.Status != 503 || !p.Timed || p.Milliseconds != 7 || string(p.ID) != "id" || q.Source != r.Client {
		t.Errorf("%+v", q)
	}
}

func TestTexts(t *testing.T) {
	speed := func(text string, want float64) {
		t.Helper()
		got, err := ParseSpeed(text)
		if got != want || (err == nil) != (want >= 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	speed("1x", 1)
	speed("2.5x", 2.5)
	speed("max", 0)
	for _, bad := range []string{"", "x", "2", "0x", "-1x", "NaNx", "Infx", "fast"} {
		if _, err := ParseSpeed(bad); err == nil {
			t.Errorf("%q is a speed", bad)
		}
	}
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.Local)
	f := func(from, to, want string) {
		t.Helper()
		f, to2, err := ParseRange(from, to, now)
		got := fmt.Sprintf("%s %s", f.Format(time.DateTime), to2.Format(time.DateTime))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s to %s: %s, want %s", from, to, got, want)
		}
	}
	const none = "0001-01-01 00:00:00"
	f("", "", none+" "+none)
	f("2026-11-26T09:00", "10:00", "2026-11-26 09:00:00 2026-11-26 10:00:00")
	f("09:00", "", "2026-11-27 09:00:00 "+none)
	f("2026-11-26", "2026-11-26T01:02:03", "2026-11-26 00:00:00 2026-11-26 01:02:03")
	f("", "10:00:30", none+" 2026-11-27 10:00:30")
	f("x", "", `--from: "x" should be a time like 2026-11-26T09:00 or 10:00`)
	f("10:00", "09:00", "--to: 2026-11-27 09:00:00 is not later than --from, 2026-11-27 10:00:00")
}
