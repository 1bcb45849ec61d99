package fanout

import "testing"

// What was submitted before a mark has ended when its outcome is known, whatever comes
// later.
func TestMark(t *testing.T) {
	release := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		<-release
		c.send(ok)
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=1")
	defer drain(t, f)
	before := f.Mark()
	if !f.Ended(before) {
		t.Error("nothing was submitted, and has not ended")
	}
	f.Submit(requests("GET /1", "GET /2"))
	m := f.Mark()
	eventually(t, "the first request", func() bool { return len(rt.requests()) == 1 })
	if f.Ended(m) {
		t.Error("what waits for a response has ended")
	}
	close(release)
	eventually(t, "the end", func() bool { return f.Ended(m) })
}

func TestFits(t *testing.T) {
	f := newFanout(t, func(c *Config) { c.Memory = 1 << 20 }, nobody+",queue=10")
	defer drain(t, f)
	fits := func(what string, n int, bytes int64, want bool) {
		t.Helper()
		if got := f.Fits(n, bytes); got != want {
			t.Errorf("%s: %d requests of %d bytes fit: %v", what, n, bytes, got)
		}
	}
	f.targets[0].hold()
	fits("empty", 10, 1000, true)
	fits("never", 100, 1<<30, true)
	f.Submit(requests("GET /1", "GET /2", "GET /3", "GET /4"))
	fits("four wait", 6, 1000, true)
	fits("four wait", 7, 1000, false)
	fits("four wait", 1, 1<<18, false)
	f.targets[0].letGo()
}
