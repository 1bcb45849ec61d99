package fanout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestDifferences(t *testing.T) {
	a, b := listen(t, (*rawConn).serveStatus), listen(t, func(c *rawConn) { c.serve(ok) })
	var log bytes.Buffer
	f := newFanout(t, func(c *Config) { c.DifferenceLog = slog.New(slog.NewTextHandler(&log, nil)) },
		"a="+a.url+"/prefix,conns=1", "b="+b.url)
	if all := f.Differences(); all == nil || len(all) > 0 {
		t.Errorf("before any request: %+v, want an empty list", all)
	}
	different := answeredWith(200, "http://user:s3cret@h/cart?token=s3cret&x=500", "id-1")
	different.Production.Timed, different.Production.Milliseconds = true, 1500
	f.Submit([]codec.Request{answeredWith(200, "/200", "id-0"), different})
	eventually(t, "both targets answered", func() bool { return answered(f.targets[0]) == 2 && answered(f.targets[1]) == 2 })
	f.Submit([]codec.Request{answeredWith(503, "/"+strings.Repeat("p", 1000)+"503", "")})
	drain(t, f)

	all := f.Differences()
	if len(all) != 2 {
		t.Fatalf("differences: %+v, want 2", all)
	}
	latest, first := all[0], all[1]
	if latest.Target != "b" || latest.Result != "status" || len(latest.Path) != maxPath || latest.ID != "" ||
		latest.Primary != (Response{Status: 503}) || latest.Mirror.Status != 200 {
		t.Errorf("the latest is %+v", latest)
	}
	took := first.Mirror.Seconds
	if first.Primary.Seconds == nil || *first.Primary.Seconds != 1.5 || took == nil || *took < 0 || time.Since(first.Time) > time.Hour {
		t.Errorf("the first is %+v", first)
	}
	first.Time, first.Primary.Seconds, first.Mirror.Seconds = time.Time{}, nil, nil
	if text, _ := json.Marshal(first); string(text) != `{"time":"0001-01-01T00:00:00Z","target":"a","result":"status","method":"GET","path":"/cart","id":"id-1",`+
		`"primary":{"status":200},"mirror":{"status":500}}` {
		t.Errorf("the first is %s", text)
	}
	if line := log.String(); strings.Count(line, "\n") < 1 || !strings.Contains(line,
		`msg="answers differ" target=a result=status method=GET path=/cart primary=200 mirror=500 id=id-1`) || strings.Contains(line, "s3cret") {
		t.Errorf("the log says %q", line)
	}
}

// Of very many a few are kept: the first ones all, then a sample; and of those
// the last ones.
func TestDifferencesAreBounded(t *testing.T) {
	d := newDifferences()
	allowed := func(now time.Duration) (n int) {
		for range 10_000 {
			if d.limit.allow(int64(now)) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		now  time.Duration
		want int
	}{{0, keptDifferences}, {time.Second, differencesPerSecond}, {time.Hour, keptDifferences}} {
		if n := allowed(step.now); n != step.want {
			t.Errorf("after %v %d may be kept, want %d", step.now, n, step.want)
		}
	}
	for i := range 3*keptDifferences + 5 {
		d.add(Difference{ID: fmt.Sprint(i)})
	}
	kept := map[string]bool{}
	for _, one := range d.appendTo(nil) {
		kept[one.ID] = true
	}
	if len(kept) != keptDifferences || !kept[fmt.Sprint(2*keptDifferences+5)] || !kept[fmt.Sprint(3*keptDifferences+4)] {
		t.Errorf("%d are kept: %v", len(kept), kept)
	}
}

// A target that always differs logs a few lines, and slows nothing down.
func TestDifferenceLogIsThrottled(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	var log bytes.Buffer
	f := newFanout(t, func(c *Config) { c.DifferenceLog = slog.New(slog.NewTextHandler(&log, nil)) }, rt.url)
	start := time.Now()
	for range 100 {
		f.Submit([]codec.Request{answeredWith(404, "/", "")})
	}
	drain(t, f)
	lines, most := strings.Count(log.String(), "\n"), 1+int(time.Since(start).Seconds()*loggedPerSecond)
	if lines < 1 || lines > most {
		t.Errorf("%d lines, want 1 to %d", lines, most)
	}
	if got := compared(f.targets[0]); got != "status=100 4xx/2xx=100 " {
		t.Error(got)
	}
}
