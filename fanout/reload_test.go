package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

// reload puts the targets in force, with all else as it was.
func reload(t *testing.T, f *Fanout, edit func(*Config), specs ...string) error {
	t.Helper()
	cfg := f.config
	cfg.Targets = parseTargets(t, specs)
	if edit != nil {
		edit(&cfg)
	}
	return f.Reload(cfg)
}

func mustReload(t *testing.T, f *Fanout, edit func(*Config), specs ...string) {
	t.Helper()
	if err := reload(t, f, edit, specs...); err != nil {
		t.Fatal(err)
	}
}

func (f *Fanout) left() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.leaving) == 0
}

// A target that is as before goes on with its connection, whatever becomes of
// its neighbours; others come and go, and every request goes to those that were
// in force.
func TestReload(t *testing.T) {
	serve := func(c *rawConn) { c.serve(ok) }
	a, b, c := listen(t, serve), listen(t, serve), listen(t, serve)
	f := newFanout(t, nil, "a="+a.url, "b="+b.url)
	step := func(path string, want ...*rawTarget) {
		t.Helper()
		f.Submit(requests("GET " + path))
		eventually(t, "an answer", func() bool {
			n := uint64(0)
			for _, m := range f.counted.targets {
				n += m.sent.Get()
			}
			return n == f.sumSelected()
		})
		for _, rt := range []*rawTarget{a, b, c} {
			if got := slices.Contains(rt.requests(), "GET "+path); got != slices.Contains(want, rt) {
				t.Errorf("%s reached %s: %v", path, rt.url, got)
			}
		}
	}
	kept := f.targets[0]
	step("/1", a, b)
	mustReload(t, f, nil, "c="+c.url, "a="+a.url+",rate=1000000")
	step("/2", a, c)
	if f.targets[1] != kept || a.connections() != 1 {
		t.Errorf("the target that is as before has %d connections", a.connections())
	}
	mustReload(t, f, func(cfg *Config) { cfg.SetHeaders = []Header{{Name: "x-path", Value: "new"}} }, "a="+a.url+"/new")
	f.Submit(requests("GET /3"))
	eventually(t, "the target with a new URL", func() bool { return slices.Contains(a.requests(), "GET /new/3") })
	eventually(t, "all to have left", f.left)
	if f.targets[0] == kept {
		t.Error("a target with another URL is the same")
	}
	mustReload(t, f, nil, "b="+b.url) // a name that comes back goes on counting
	step("/4", b)
	f.Drain(context.Background())
	checkSums(t, f)
	if n := f.counted.targets["b"].sent.Get(); n != 2 {
		t.Errorf("b counted %d, was sent 2", n)
	}
	if n := f.counted.groups["b"].accepted.Get(); n != 2 {
		t.Errorf("group b was offered %d, should be 2", n)
	}
}

func (f *Fanout) sumSelected() (n uint64) {
	for _, m := range f.counted.targets {
		n += m.selected.Get()
	}
	return n
}

// A Config that is wrong changes nothing, and the error names what is wrong.
func TestReloadRefuses(t *testing.T) {
	f := newFanout(t, nil, "a="+nobody+",group=g", "b="+nobody+",group=g")
	try := func(want string, specs ...string) {
		t.Helper()
		before := f.plan.Load()
		err := reload(t, f, nil, specs...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
		if f.plan.Load() != before {
			t.Error("something changed")
		}
	}
	try("--target is missing")
	try("weight is 0", "a="+nobody+",group=g,weight=0")
	try("a group has one sample", "a="+nobody+",group=g,sample=1%", "b="+nobody+",group=g")
	try("counters belong to group g", "a="+nobody)
	try("counters belong to group g", "a="+nobody+",group=h")
	drain(t, f)
	try("stopping", "a="+nobody+",group=g")
}

// Under load, from several event loops, a reload loses nothing: all that is
// selected arrives, and what a target has when it leaves is still sent.
func TestReloadLosesNothing(t *testing.T) {
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	spec := func(i int) []string {
		return []string{
			"stays=" + rt.url + ",queue=1000000",
			fmt.Sprintf("moves=%s/%d,queue=1000000", rt.url, i%2),
			fmt.Sprintf("t%d=%s,queue=1000000", i%3, rt.url),
		}
	}
	f := newFanout(t, nil, spec(0)...)
	const loops = 3
	var submitting sync.WaitGroup
	stop := make(chan struct{})
	for range loops {
		submitting.Go(func() {
			for n := 0; ; n++ {
				f.Submit(requests("GET /a", "POST /b body"))
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond / 10):
				}
			}
		})
	}
	for i := range 30 {
		before := f.metrics.received.Get()
		mustReload(t, f, nil, spec(i)...)
		eventually(t, "more requests", func() bool { return f.metrics.received.Get() > before+10 })
	}
	close(stop)
	submitting.Wait()
	eventually(t, "all to have left", f.left)
	f.Drain(context.Background())
	checkSums(t, f)
	received := f.metrics.received.Get()
	for name, m := range f.counted.targets {
		if m.sent.Get() != m.selected.Get() {
			t.Errorf("target %s: %d of %d were sent", name, m.sent.Get(), m.selected.Get())
		}
		if (name == "stays" || name == "moves") && m.selected.Get() != received {
			t.Errorf("target %s: %d of %d were selected", name, m.selected.Get(), received)
		}
	}
	if n := uint64(len(rt.requests())); n != f.sumSelected() {
		t.Errorf("targets saw %d requests, %d were selected", n, f.sumSelected())
	}
}

// What a target that is gone cannot send in its time is counted as removed.
func TestRemoved(t *testing.T) {
	taken := make(chan struct{})
	rt := listen(t, func(c *rawConn) {
		c.take(1)
		close(taken)
		c.waitEnd()
	})
	f := newFanout(t, nil, "a="+rt.url+",conns=1,batch=1,max-age=1h,timeout=1h", "b="+nobody+",sample=0")
	f.Submit(requests("GET /1", "GET /2", "POST /3"))
	<-taken
	gone := f.targets[0]
	mustReload(t, f, nil, "b="+nobody+",sample=0")
	f.life.hurryUp() // as if max-age and timeout had passed
	eventually(t, "the target to leave", f.left)
	if got := counts(gone); got != "selected=3 dropped{removed}=2 sent=1 aborted=1" {
		t.Error(got)
	}
	if got := sample(t, f, `mirrorgate_group_sample_ratio{group="a"}`); got != "0" {
		t.Errorf("the sample of a group that is gone is %s", got)
	}
	f.Drain(context.Background())
	checkSums(t, f)
}

// What is in force is described, and reads as it was written.
func TestGroups(t *testing.T) {
	f := newFanout(t, nil, "a=http://h/p,group=g,weight=3,sample=25%,methods=GET+HEAD,rate=5/s", "c=http://k", "b=http://i,group=g,sample=25%,methods=GET+HEAD")
	defer drain(t, f)
	var got []string
	for _, g := range f.Groups() {
		got = append(got, fmt.Sprint(g.Name, " ", g.Sample, " ", g.Effective, " ", g.Methods))
		for _, tg := range g.Targets {
			got = append(got, fmt.Sprint(tg.Name, " ", tg.URL, " ", tg.Weight, " ", FormatRate(tg.Rate), " ", tg.Paused, " ", tg.Queue))
		}
	}
	want := []string{
		"g 0.25 0.25 [GET HEAD]", "a http://h/p 3 5/s false 8192", "b http://i 1 none false 8192",
		"c 1 1 []", "c http://k 1 none false 8192",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Requests in flight through Submit see one plan from their first to their last.
func TestBatchFollowsThePlan(t *testing.T) {
	f := newFanout(t, func(c *Config) { c.Memory = 1 }, "a="+nobody)
	f.Submit(requests("GET /1"))
	mustReload(t, f, func(c *Config) { c.Memory = 1 }, "b="+nobody, "c="+nobody, "a="+nobody)
	f.Submit(requests("GET /2"))
	mustReload(t, f, nil, "c="+nobody)
	f.Submit([]codec.Request{{Reject: codec.RejectMalformed}, request("GET", "/3", "")})
	for name, want := range map[string]uint64{"a": 2, "b": 1, "c": 2} {
		if n := f.counted.targets[name].selected.Get(); n != want {
			t.Errorf("%s: %d selected, want %d", name, n, want)
		}
		if n := f.counted.groups[name].accepted.Get(); n != want {
			t.Errorf("%s: %d accepted, want %d", name, n, want)
		}
	}
	f.Drain(context.Background())
	checkSums(t, f)
	if err := f.TuneGroup("c", GroupTuning{}, 0); !errors.Is(err, errDraining) {
		t.Errorf("tuning after the end: %v", err)
	}
}

// A target is not let go while a batch may still bring it requests, however
// long that takes.
func TestReloadWaitsForBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, "a="+nobody, "b="+nobody)
		slow := f.enter()
		gone := f.targets[0]
		mustReload(t, f, nil, "b="+nobody)
		mustReload(t, f, nil, "b="+nobody+",rate=5/s")
		time.Sleep(time.Minute)
		synctest.Wait()
		if gone.draining || f.left() {
			t.Error("the target was let go while a batch goes by its plan")
		}
		slow.leave()
		time.Sleep(time.Second)
		synctest.Wait()
		if !f.left() {
			t.Error("the target was not let go")
		}
		f.Drain(context.Background())
		checkSums(t, f)
	})
}
