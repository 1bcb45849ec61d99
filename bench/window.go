package bench

import (
	"context"
	"fmt"
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

// watch takes both samples of a load that begins now.
func (w *window) watch(ctx context.Context, l Load) error {
	start := time.Now()
	if err := w.takeAt(ctx, start.Add(l.Warmup), &w.begin); err != nil {
		return err
	}
	if err := w.takeAt(ctx, start.Add(l.end()), &w.end); err != nil {
		return err
	}
	return w.check(l.Duration)
}

// check refuses a window that is not what was asked for, which would have parts
// of the warm-up in it, or of the time after the load.
func (w *window) check(want time.Duration) error {
	if d := w.duration(); (d - want).Abs() > want/10+100*time.Millisecond {
		return fmt.Errorf("cannot measure for %s: it came out as %s, this machine is too busy", want, roundTime(d))
	}
	return nil
}

func (w *window) takeAt(ctx context.Context, t time.Time, s *sample) error {
	if err := wait(ctx, time.Until(t)); err != nil {
		return err
	}
	u, err := w.agent.usage()
	if err != nil {
		return err
	}
	_, acked := w.g.Progress()
	*s = sample{at: time.Now(), acked: acked, delivered: w.sinks.requests(), cpu: u.cpu}
	return nil
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
