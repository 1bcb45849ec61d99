package e2e

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
)

// --memory and 64 MiB is what the process takes at the most, also when 64 targets
// with 64 connections each hang: connections count, and those that wait hold no
// buffer.
func TestHangingTargetsStayInMemory(t *testing.T) {
	withoutRaceDetector(t)
	const targets, conns, memory, spare = 64, 64, 64 << 20, 64 << 20
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-accepting
		for _, c := range held {
			c.Close()
		}
	})
	args := []string{"--memory", "64MiB", "--timeout", "10m", "--max-age", "10m", "--drain", "1s"}
	for i := range targets {
		args = append(args, "--target", fmt.Sprintf("t%d=http://%s,conns=%d", i, ln.Addr(), conns))
	}
	a := startAgent(t, args...)
	load := bench.DefaultLoad
	load.Rate, load.Warmup, load.Duration = 100, 0, 2*time.Second
	g, err := bench.DialGenerator(context.Background(), a.spop, load)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all connections stand", func() bool {
		return a.counters().Count("mirrorgate_target_connections") == targets*conns
	})
	if peak := peakMemory(t, a.process.Process.Pid); peak > memory+spare {
		t.Errorf("%d MiB at the peak, with --memory=64MiB and %d connections that hang", peak>>20, targets*conns)
	}
}
