package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/demo"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

type demoCmd struct {
	Duration options.Duration `default:"10s" placeholder:"TIME" help:"How long to send traffic."`
	Rate     int              `default:"500" placeholder:"N" help:"Requests a second through HAProxy with mirroring, and as many without."`
	Keep     bool             `help:"Go on after that until interrupted, to look at the page."`
}

// Validate is called by the parser.
func (c *demoCmd) Validate() error {
	if c.Rate < 1 || c.Rate > 100_000 {
		return errors.New("--rate should be from 1 to 100000 requests a second")
	}
	return nil
}

// Run plays the demo.
func (c *demoCmd) Run() error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	d := demo.Demo{Duration: time.Duration(c.Duration), Rate: c.Rate, Keep: c.Keep, Out: os.Stdout, Log: os.Stderr, Start: startForDemo}
	return d.Run(ctx)
}

// startForDemo is a demo.Start.
func startForDemo(fc fanout.Config, ec engine.Config) (demo.Gateway, error) {
	ec.Reserve = options.OwnDescriptors
	adminServer, err := admin.Listen(admin.Config{Address: "127.0.0.1:0", Metrics: fc.Metrics, Version: buildVersion(), Logger: fc.Logger})
	if err != nil {
		return demo.Gateway{}, err
	}
	g, err := startGateway(fc, ec)
	if err != nil {
		return demo.Gateway{}, err
	}
	adminServer.Serve(g.engine, g.fanout)
	stop := func() {
		const drain = 10 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		g.stop(ctx, drain/2)
		adminServer.Close()
	}
	return demo.Gateway{
		Addr: g.engine.Addrs()[0].String(), Admin: adminServer.Addr(), Plan: append(g.fanout.Describe(), comparing(g.fanout.Compared())...),
		Comparison: g.fanout.Comparison, Stop: stop,
	}, nil
}
