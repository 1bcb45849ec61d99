package fanout

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// steered plays HAProxy, which has offered requests for each millisecond and
// sends as many as it is told, and targets that take requests at their own pace.
type steered struct {
	t     *testing.T
	f     *Fanout
	steer *atomic.Uint32
	rest  float64
}

func newSteered(t *testing.T, specs ...string) *steered {
	s := &steered{t: t, steer: new(atomic.Uint32)}
	s.f = newFanout(t, func(c *Config) { c.Steer = s.steer }, specs...)
	for _, tg := range s.f.targets {
		tg.hold()
	}
	return s
}

// run lets d go by. takes is what each target takes in a millisecond. It returns
// the share of the offered requests that HAProxy sent.
func (s *steered) run(d time.Duration, offered float64, takes ...int) (sent float64) {
	n := 0
	for range d / time.Millisecond {
		s.rest += offered * float64(s.steer.Load()) / SteerAll
		for ; s.rest >= 1; s.rest-- {
			n++
			s.f.Submit(requests("GET /"))
		}
		for i, tg := range s.f.targets {
			tg.answerQueued(takes[i])
		}
		time.Sleep(time.Millisecond)
	}
	return float64(n) / (offered * float64(d/time.Millisecond))
}

func (s *steered) between(what string, got, least, most float64) {
	s.t.Helper()
	if got < least || got > most {
		s.t.Errorf("%s: HAProxy sends %.4f of its requests, want %v to %v", what, got, least, most)
	}
}

// dropped is how many requests the first target has dropped.
func (s *steered) dropped() int64 { return int64(s.f.targets[0].metrics.droppedTotal()) }

func TestSteer(t *testing.T) {
	f := func(name string, play func(s *steered), specs ...string) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSteered(t, specs...)
				play(s)
				s.run(time.Millisecond, 0, 1_000_000, 1_000_000)
				drain(t, s.f)
			})
		})
	}
	const target = "http://h,batch=1,max-age=1m,queue=1000"
	f("all is taken", func(s *steered) {
		s.between("at the start", float64(s.steer.Load())/SteerAll, 1, 1)
		s.between("with room to spare", s.run(3*time.Second, 2, 3), 0.99, 1)
	}, target)
	f("four times too much, and then no more", func(s *steered) {
		s.run(2*time.Second, 4, 1)
		before := s.dropped()
		s.between("overloaded", s.run(5*time.Second, 4, 1), 0.24, 0.27)
		if n := s.dropped() - before; n > 0 {
			t.Errorf("%d are still dropped", n)
		}
		s.run(3*time.Second, 4, 10)
		s.between("soon after", s.run(time.Second, 4, 10), 0.99, 1)
	}, target)
	f("so slow that what waits would get stale", func(s *steered) {
		s.run(10*time.Second, 4, 1)
		before := s.dropped()
		s.between("overloaded", s.run(10*time.Second, 4, 1), 0.24, 0.27)
		if n := s.dropped() - before; n > 10_000/20 {
			t.Errorf("%d of about 10000 got stale", n)
		}
	}, "http://h,batch=1,max-age=2s,queue=20000")
	f("rate", func(s *steered) {
		s.run(2*time.Second, 2, 10)
		s.between("ten times the rate", s.run(5*time.Second, 2, 10), 0.1, 0.15)
	}, target+",rate=200/s")
	f("paused", func(s *steered) {
		s.f.TuneTarget("t1", TargetTuning{Paused: new(true)}, 0)
		s.run(2*time.Second, 2, 10)
		s.between("paused", s.run(5*time.Second, 2, 10), steerFloor*0.9, steerFloor*1.1)
		s.f.TuneTarget("t1", TargetTuning{Paused: new(false)}, 0)
		s.run(4*time.Second, 2, 10)
		s.between("again", s.run(time.Second, 2, 10), 0.99, 1)
	}, target)
	f("what one takes is not held back for another's sake", func(s *steered) {
		s.between("one takes nothing", s.run(3*time.Second, 2, 10, 0), 0.99, 1)
	}, target, "b=http://h,batch=1,queue=10")
	f("what a sample leaves out is sent", func(s *steered) {
		s.between("sampled", s.run(3*time.Second, 4, 1), 0.99, 1)
	}, target+",sample=10%")
	f("without requests all are wanted", func(s *steered) {
		s.f.TuneTarget("t1", TargetTuning{Paused: new(true)}, 0)
		s.run(2*time.Second, 2, 10)
		s.run(11*time.Second, 0, 10)
		s.between("silent", float64(s.steer.Load())/SteerAll, 1, 1)
	}, target)
}
