package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// gateway is a running mirrorgate without its outer parts.
type gateway struct {
	fanout *fanout.Fanout
	engine *engine.Server
}

var (
	cores  = runtime.GOMAXPROCS(0)
	shared sync.Once
)

// shareProcessors returns the number of event loops, one for two cores unless
// some are asked for, since the workers have as much to do. A loop keeps one of
// Go's processors while it waits in epoll, until the runtime notices: there must
// be one that no loop can keep, or the workers would wait with it. Any more only
// make threads that look for work in each other's queues.
func shareProcessors(loops int) int {
	loops = cmp.Or(loops, max(1, cores/2))
	shared.Do(func() { runtime.GOMAXPROCS(max(cores, loops+1)) })
	return loops
}

// startGateway starts the way of a request from its end. The engine keeps the
// descriptors that the targets need out of HAProxy's reach.
func startGateway(fc fanout.Config, ec engine.Config) (*gateway, error) {
	f, err := fanout.New(fc)
	if err != nil {
		return nil, err
	}
	ec.Reserve += connsOf(fc.Targets)
	ec.Mirror = f
	ec.Steer = fc.Steer
	ec.Loops = shareProcessors(ec.Loops)
	e, err := engine.Listen(ec)
	if err != nil {
		f.Drain(context.Background())
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return &gateway{f, e}, nil
}

// stop ends the gateway in the order of the requests: HAProxy has up to handover
// to take its traffic elsewhere, then the connections end, then what waits for
// the targets is sent until ctx ends.
func (g *gateway) stop(ctx context.Context, handover time.Duration) {
	served, cancel := context.WithTimeout(ctx, handover)
	defer cancel()
	g.engine.Drain(served)
	g.engine.Close(ctx)
	g.fanout.Drain(ctx)
}
