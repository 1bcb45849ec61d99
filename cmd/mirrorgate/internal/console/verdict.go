package console

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// Question is what a verdict is asked for.
type Question struct {
	Target string
	Rule   verdict.Rule
	Wait   time.Duration // at most this long for the verdict to be known
	Fresh  bool          // only what comes from now on counts
}

// judgeEvery is how often somebody who waits for a verdict asks.
const judgeEvery = time.Second

// Judge adds up what the hosts have counted and judges it; while the verdict is not
// known, again and again for as long as the question waits. Each time progress gets
// what is known. It is an error if a host refuses the question, or if none of them
// can be reached the first time.
func Judge(ctx context.Context, hosts []*admin.Client, q Question, progress func(*verdict.Verdict)) (*verdict.Verdict, error) {
	if q.Fresh {
		for _, host := range hosts {
			if err := host.Fresh(ctx, q.Target); err != nil {
				return nil, err
			}
		}
	}
	ask := func() (*verdict.Verdict, error) { return judgeOnce(ctx, hosts, q) }
	return untilKnown(ctx, q.Wait, ask, progress)
}

// untilKnown asks until the verdict is known, a host refuses, wait is over, or ctx
// ends. Hosts that cannot be reached any more may come back.
func untilKnown(ctx context.Context, wait time.Duration, ask func() (*verdict.Verdict, error), progress func(*verdict.Verdict)) (*verdict.Verdict, error) {
	over := time.After(wait)
	var last *verdict.Verdict
	for {
		v, err := ask()
		switch {
		case err == nil && v.Verdict != verdict.NotYet:
			return v, nil
		case err == nil:
			last = v
		case last == nil || errors.As(err, new(*admin.RefusedError)):
			return nil, err
		}
		progress(last)
		select {
		case <-time.After(judgeEvery):
		case <-over:
			return last, err
		case <-ctx.Done():
			return last, err
		}
	}
}

func judgeOnce(ctx context.Context, hosts []*admin.Client, q Question) (*verdict.Verdict, error) {
	sums := make([]tally.Summary, len(hosts))
	errs := make([]error, len(hosts))
	var asking sync.WaitGroup
	for i, host := range hosts {
		asking.Go(func() { sums[i], errs[i] = host.Comparison(ctx, q.Target) })
	}
	asking.Wait()
	var sum *tally.Summary
	var silent []string
	for i, err := range errs {
		switch {
		case errors.As(err, new(*admin.RefusedError)):
			return nil, err
		case err != nil:
			silent = append(silent, hosts[i].Address())
		case sum == nil:
			sum = &sums[i]
		default:
			if err := sum.Merge(&sums[i]); err != nil {
				return nil, &admin.RefusedError{Text: err.Error()}
			}
		}
	}
	if sum == nil {
		return nil, errs[0]
	}
	return verdict.Judge(sum, q.Rule, silent...), nil
}
