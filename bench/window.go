package bench

import (
	"context"
	"time"
)

// window is the measured part of a run: what was counted when it began and when
// it ended. All its figures are differences of the two.
type window struct {
	g     *Generator
	agent *agent
	sinks sinks

	begin, end sample
}

type sample struct {
	at        time.Time
	acked     uint64
	delivered uint64
	cpu       time.Duration
}

// watch takes both samples of a load that begins now and goes on until it returns.
// On a busy machine they are late, and the window is where they are; it has half
// of the load's duration at the least.
func (w *window) watch(ctx context.Context, l Load) error {
	start := time.Now()
	if err := w.sampleAt(ctx, start.Add(l.Warmup), &w.begin); err != nil {
		return err
	}
	end := start.Add(l.end())
	if least := w.begin.at.Add(l.Duration / 2); end.Before(least) {
		end = least
	}
	return w.sampleAt(ctx, end, &w.end)
}

func (w *window) sampleAt(ctx context.Context, t time.Time, s *sample) error {
	if err := wait(ctx, time.Until(t)); err != nil {
		return err
	}
	_, acked := w.g.Progress()
	*s = sample{at: time.Now(), acked: acked, delivered: w.sinks.requests()}
	// Last, as it takes some milliseconds, the same at both ends of the window.
	u, err := w.agent.usage()
	s.cpu = u.cpu
	return err
}

func (w *window) duration() time.Duration { return w.end.at.Sub(w.begin.at) }
func (w *window) acked() uint64           { return w.end.acked - w.begin.acked }
func (w *window) delivered() uint64       { return w.end.delivered - w.begin.delivered }
func (w *window) cpu() time.Duration      { return w.end.cpu - w.begin.cpu }

// wait sleeps, or returns the end of ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
