package bench

import (
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestFramesDecode(t *testing.T) {
	f := func(l Load, method string, headers int) {
		t.Helper()
		row := newFrames(l, 3)
		for i, n := range []uint64{0, streamIDs - 1, streamIDs + 7}[:row.count] {
			row.stamp(i, n)
		}
		b := row.first(row.count)
		for _, want := range []uint64{firstStreamID, firstStreamID + streamIDs - 1, firstStreamID + 7}[:row.count] {
			size := codec.LenSize + int(codec.FrameLen(b))
			frame, err := codec.ParseFrame(b[codec.LenSize:size])
			if err != nil {
				t.Fatal(err)
			}
			reqs, _, err := codec.AppendRequests(nil, frame.Payload)
			if err != nil || len(reqs) != 1 {
				t.Fatal(reqs, err)
			}
			fields := 0
			for it := reqs[0].Headers.Iter(); it.Next(); {
				fields++
			}
			if frame.StreamID != want || string(reqs[0].Method) != method || fields != headers || len(reqs[0].Body) != l.Body {
				t.Errorf("stream %d (want %d), %s, %d headers, %d bytes", frame.StreamID, want, reqs[0].Method, fields, len(reqs[0].Body))
			}
			b = b[size:]
		}
		if len(b) > 0 {
			t.Errorf("%d bytes left", len(b))
		}
	}
	f(Load{Headers: 8}, "GET", 8)
	f(Load{Headers: 1}, "GET", 1)
	f(Load{Headers: 40}, "GET", 40)
	f(Load{Headers: 8, Body: 1}, "POST", 9)
	f(Load{Headers: 8, Body: 14000}, "POST", 9)
	f(Load{Headers: 8, Body: maxBody}, "POST", 9) // a row of one
}

func TestBars(t *testing.T) {
	h := newLatency()
	if got := bars(h); got != "" {
		t.Errorf("got %q of nothing", got)
	}
	for range 3 {
		recordLatency(h, 50_000)
	}
	recordLatency(h, 150_000)
	recordLatency(h, -5) // clocks
	lines := strings.Split(strings.TrimSpace(bars(h)), "\n")
	f := func(line int, want string) {
		t.Helper()
		if got := strings.Join(strings.Fields(lines[line]), " "); got != want {
			t.Errorf("line %d: got %q, want %q", line, got, want)
		}
	}
	third := strings.Repeat("█", 17)
	f(0, "< 100ns "+third+" 1")
	f(len(lines)-3, "< 63.1µs "+strings.Repeat("█", 50)+" 3")
	f(len(lines)-2, "< 100µs 0")
	f(len(lines)-1, "< 158µs "+third+" 1")
}

// Requests with many fields are as large as those that people have.
func TestHeaderSizes(t *testing.T) {
	f := func(l Load, fields, least, most int) {
		t.Helper()
		h := codec.Headers{Raw: headers(l)}
		n, size := 0, 0
		for it := h.Iter(); it.Next(); n++ {
			size += len(it.Name) + len(": ") + len(it.Value) + len("\r\n")
		}
		if n != fields || size < least || size > most {
			t.Errorf("%+v: %d fields of %d bytes", l, n, size)
		}
	}
	f(Load{Headers: 8}, 8, 350, 500)
	f(Load{Headers: 100}, 100, 8000, 8500)
	f(Load{Headers: 14, cookie: 600}, 14, 1400, 1700)
	f(Load{Headers: 14, cookie: 600, cookieFields: 3}, 16, 1400, 1700)
}
