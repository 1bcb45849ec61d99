package fanout

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// What waits is sent before the end.
func TestDrainSendsTheQueue(t *testing.T) {
	release := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		<-release
		c.send(ok)
		c.serve(ok)
	})
	f := newFanout(t, nil, rt.url+",conns=1,batch=1")
	f.Submit(requests(slices.Repeat([]string{"POST / body"}, 50)...))
	eventually(t, "the first request", func() bool { return len(rt.requests()) == 1 })
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		drain(t, f)
	}()
	eventually(t, "the drain to begin", func() bool {
		f.targets[0].mu.Lock()
		defer f.targets[0].mu.Unlock()
		return f.targets[0].draining
	})
	select {
	case <-drained:
		t.Error("the drain did not wait for what is in flight")
	default:
	}
	close(release)
	<-drained
	if got := counts(f.targets[0]); got != "selected=50 sent=50 2xx=50" || len(rt.requests()) != 50 {
		t.Errorf("%s, target saw %d", got, len(rt.requests()))
	}
}

// At the end of its time, the drain counts what is written and unanswered as
// aborted, and what is queued as shutdown, whatever the methods are.
func TestDrainEnds(t *testing.T) {
	f := func(what string, answers int, text, want string) {
		t.Helper()
		written := make(chan struct{})
		rt := listen(t, func(c *rawConn) {
			c.take(4)
			c.send(text)
			close(written)
			c.waitEnd()
		})
		fan := newFanout(t, nil, rt.url+",conns=1,batch=4")
		fan.Submit(requests(slices.Repeat([]string{"GET /", "DELETE /"}, 5)...))
		<-written
		eventually(t, "the whole answers", func() bool {
			return sample(t, fan, `mirrorgate_target_duration_seconds_count{target="t1"}`) == strconv.Itoa(answers)
		})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		fan.Drain(ctx)
		checkSums(t, fan)
		if got := counts(fan.targets[0]); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		if n := len(rt.requests()); n != 4 {
			t.Errorf("%s: target saw %d", what, n)
		}
	}
	f("no answer", 0, "", "selected=10 dropped{shutdown}=6 sent=4 aborted=4")
	f("two answers", 2, ok+ok, "selected=10 dropped{shutdown}=6 sent=4 2xx=2 aborted=2")
	f("in the middle of a header section", 1, ok+"HTTP/1.1 200 OK\r\nConte", "selected=10 dropped{shutdown}=6 sent=4 2xx=1 aborted=3")
	// A status that arrived counts, however the body goes on.
	f("in the middle of a body", 2, ok+"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "selected=10 dropped{shutdown}=6 sent=4 2xx=2 aborted=2")
	f("in the middle of a chunk", 2, ok+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nabc", "selected=10 dropped{shutdown}=6 sent=4 2xx=2 aborted=2")
}

// What was not written when the drain ends is not sent, and what was only in part
// is aborted.
func TestDrainEndsAWrite(t *testing.T) {
	written, drained := make(chan struct{}), make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.in.ReadByte()
		close(written)
		<-drained // without reading what was sent
	})
	fan := newFanout(t, nil, rt.url+",conns=1,timeout=1h")
	fan.Submit([]codec.Request{request("POST", "/", strings.Repeat("b", 20<<20)), request("GET", "/", "")})
	<-written
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fan.Drain(ctx)
	close(drained)
	checkSums(t, fan)
	if got, want := counts(fan.targets[0]), "selected=2 dropped{shutdown}=1 sent=1 aborted=1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSubmitAfterDrain(t *testing.T) {
	f := newFanout(t, nil, nobody, nobody+",sample=0")
	drain(t, f)
	f.Submit(requests("GET /1", "POST /2 body"))
	checkSums(t, f)
	if got := counts(f.targets[0]); got != "selected=2 dropped{shutdown}=2" {
		t.Error(got)
	}
	if n := f.groups[1].metrics.sampledOut.Get(); n != 2 {
		t.Errorf("%d sampled out, want 2", n)
	}
}

// Submit may go on on all event loops while the Fanout drains, and after.
func TestSubmitWhileDraining(t *testing.T) {
	const loops = 4
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	for _, inTime := range []bool{true, false} {
		f := newFanout(t, nil, rt.url+",conns=4,queue=64", nobody+",drop=oldest,queue=8")
		var submitting sync.WaitGroup
		started, drained := make(chan struct{}, loops), make(chan struct{})
		for range loops {
			submitting.Go(func() {
				submit := func() { f.Submit(requests("GET /1", "POST /2 body", "GET /3")) }
				submit()
				started <- struct{}{}
				for running := true; running; {
					select {
					case <-drained:
						running = false
					default:
					}
					submit()
				}
			})
		}
		for range loops {
			<-started
		}
		ctx, cancel := context.WithCancel(context.Background())
		if !inTime {
			cancel()
		}
		f.Drain(ctx)
		cancel()
		close(drained)
		submitting.Wait()
		checkSums(t, f)
		for _, tg := range f.targets {
			if got, want := tg.metrics.selected.Get(), f.metrics.received.Get(); got != want {
				t.Errorf("target %s: selected %d of %d", tg.cfg.Name, got, want)
			}
			if n := tg.metrics.dropped[dropShutdown].Get(); n < 3*loops {
				t.Errorf("target %s: %d counted as shutdown, at least %d came after the drain", tg.cfg.Name, n, 3*loops)
			}
		}
	}
}

// A Fanout that was never used ends, too.
func TestDrainOfNothing(t *testing.T) {
	f := newFanout(t, nil, nobody)
	f.Submit([]codec.Request{})
	drain(t, f)
	if n := f.metrics.received.Get(); n != 0 {
		t.Errorf("received %d", n)
	}
}
