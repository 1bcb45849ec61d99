package fanout

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
)

func TestAdmitted(t *testing.T) {
	f := func(queued int64, room, want float64) {
		t.Helper()
		if got := admitted(queued, room); math.Abs(got-want) > 0.01 {
			t.Errorf("%d of %v: %v admitted, want %v", queued, room, got, want)
		}
	}
	f(0, 1000, 1)
	f(125, 1000, 1)
	f(402, 1000, 0.25) // four times too much
	f(999, 1000, 0.0126)
	f(1000, 1000, 0)
	f(5000, 1000, 0)
	f(1, 1, 0)
	for n := range int64(999) {
		if admitted(n, 1000) < admitted(n+1, 1000) {
			t.Fatalf("more is admitted at %d than at %d", n+1, n)
		}
	}
}

// overload submits perMilli requests in each millisecond of the time d, four
// times what the target takes: it does for 800 ms of each second, and takes
// nothing for the rest. It returns how many requests came, and how many arrived,
// in each 100 ms; r makes the nth request.
func overload(f *Fanout, d time.Duration, perMilli int, r func(n int) codec.Request) (came, arrived []int) {
	tg := f.targets[0]
	tg.hold()
	windows := int(d / (100 * time.Millisecond))
	came, arrived = make([]int, windows), make([]int, windows)
	take := func(most int) {
		for _, e := range tg.answerQueued(most) {
			if w := int(e.at / int64(100*time.Millisecond)); w < windows {
				arrived[w]++
			}
		}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // plays the workers
		defer close(done)
		for ticks := time.NewTicker(8 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-ticks.C:
			}
			if time.Duration(f.now())%time.Second < 800*time.Millisecond {
				take(perMilli * 10 / 4)
			}
		}
	}()
	for n := range int(d / time.Millisecond) {
		reqs := make([]codec.Request, perMilli)
		for i := range reqs {
			reqs[i] = r(perMilli*n + i)
		}
		came[min(windows-1, int(f.now()/int64(100*time.Millisecond)))] += len(reqs)
		f.Submit(reqs)
		time.Sleep(time.Millisecond)
	}
	close(stop)
	<-done
	take(math.MaxInt)
	tg.letGo()
	return came, arrived
}

func plain(n int) codec.Request { return request("GET", "/"+strconv.Itoa(n), "") }

// Under four times the load, each tenth of a second is delivered as well as any
// other with drop=uniform, and not with drop=newest. The first seconds, in which
// the queue fills, and the last are left out.
func TestUniformIsFairInTime(t *testing.T) {
	worst := func(drop string) (off float64) {
		synctest.Test(t, func(t *testing.T) {
			f := newFanout(t, nil, "http://h,batch=10,queue=32768,max-age=1h,drop="+drop)
			came, arrived := overload(f, 9*time.Second, 16, plain)
			came, arrived = came[50:85], arrived[50:85]
			mean := 0.0
			for i := range came {
				mean += float64(arrived[i]) / float64(came[i]) / float64(len(came))
			}
			for i := range came {
				off = max(off, math.Abs(float64(arrived[i])/float64(came[i])/mean-1))
			}
			near(t, drop+" delivers", int(100*mean), 100, .25, 5)
			drain(t, f)
		})
		return off
	}
	if off := worst("uniform"); off > 0.25 {
		t.Errorf("with uniform, a window is %.0f%% off the mean", 100*off)
	}
	if off := worst("newest"); off < 0.25 {
		t.Errorf("with newest, no window is more than %.0f%% off the mean: the test shows nothing", 100*off)
	}
}

// With a key, users are shed whole: those with the highest hash.
func TestUniformShedsWholeKeys(t *testing.T) {
	key, _ := ParseSampleKey("header:x-user")
	const users = 1000
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, func(c *Config) { c.SampleBy = key }, "http://h,batch=10,max-age=1h,drop=uniform,sample=50%")
		came, kept := map[string]int{}, map[string]int{}
		hash := map[string]uint64{}
		var p wire.Prepared
		overload(f, 20*time.Second, 4, func(n int) codec.Request {
			u := fmt.Sprint("user-", n%users)
			r := request("GET", "/", "", "x-user", u)
			if f.prepare(&p, &r) == codec.RejectNone {
				hash[u], _ = key.hash(&p)
			}
			if f.now() < int64(8*time.Second) {
				return r
			}
			if f.targets[0].cfg.Drop == DropUniform && hash[u] < 1<<63 {
				came[u]++
				b := newBatch(f)
				if b.now = f.now(); b.admit(f.targets[0], small, f.plan.Load().groups[0], hash[u]) == dropNone {
					kept[u]++
				}
			}
			return r
		})
		whole, split, none := 0, 0, 0
		highest, lowest := uint64(0), uint64(math.MaxUint64)
		for u, n := range came {
			switch share := float64(kept[u]) / float64(n); {
			case share > 0.99:
				whole++
				highest = max(highest, hash[u])
			case share < 0.01:
				none++
				lowest = min(lowest, hash[u])
			default:
				split++
			}
		}
		if whole < 150 || none < 150 || split > 60 {
			t.Errorf("%d users kept whole, %d shed whole, %d split", whole, none, split)
		}
		if highest > lowest {
			t.Error("a user was kept whose hash is above that of one who was shed")
		}
		if n := f.targets[0].metrics.dropped[dropShed].Get(); n == 0 {
			t.Error("nothing is counted as shed")
		}
		drain(t, f)
	})
}

// A queue that the target cannot empty in half of max-age counts as full before
// it is: what is let in does not become stale.
func TestUniformHeedsMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, "http://h,batch=10,queue=20000,max-age=4s,drop=uniform")
		overload(f, 40*time.Second, 4, plain)
		m := f.targets[0].metrics
		if stale, sent := m.dropped[dropStale].Get(), m.sent.Get(); stale > sent/20 || sent < 30_000 {
			t.Errorf("%d sent, %d stale", sent, stale)
		}
		drain(t, f)
	})
}

// The gauge follows what the group really takes.
func TestEffectiveSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, "a=http://h,group=g,batch=10,max-age=1h,drop=uniform,sample=80%")
		effective := func() float64 {
			v, _ := strconv.ParseFloat(sample(t, f, `mirrorgate_group_effective_sample_ratio{group="g"}`), 64)
			return v
		}
		if got := effective(); got != 0.8 {
			t.Errorf("before anything came it is %v", got)
		}
		overload(f, 10*time.Second, 4, plain)
		if got := effective(); got < 0.15 || got > 0.40 {
			t.Errorf("under four times the load it is %v", got)
		}
		time.Sleep(2 * time.Second)
		if got := effective(); got != 0.8 {
			t.Errorf("without requests it is %v", got)
		}
		drain(t, f)
	})
}

// The rate of a target is known after a second in which requests waited.
func TestRoom(t *testing.T) {
	f := func(what string, taken, queued []int, want float64) {
		t.Helper()
		cfg := DefaultTarget() // 10 s, so 50 ticks for half of it
		var s shedding
		total := uint64(0)
		for i := range 12 {
			total += uint64(taken[i%len(taken)])
			s.observe(total, queued[i%len(queued)], &cfg)
		}
		if math.Round(s.room) != want {
			t.Errorf("%s: room is %v, want %v", what, s.room, want)
		}
	}
	f("requests wait", []int{20}, []int{5}, 1000)
	f("by fits and starts", []int{0, 40}, []int{5}, 1091)
	f("fast", []int{1000}, []int{5}, 8192)
	f("it hangs", []int{0}, []int{5}, 512)
	f("nothing waits", []int{20}, []int{0}, 8192)
	f("nothing waited a second ago", []int{20}, []int{5, 5, 5, 5, 5, 5, 0}, 8192)
}
