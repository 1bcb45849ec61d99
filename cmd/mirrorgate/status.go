package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/console"
)

type statusCmd struct {
	adminFlags
	Watch bool `help:"Show it again every second, in place if this is a terminal, until interrupted."`
}

// Help is what --help shows above the options.
func (*statusCmd) Help() string {
	return `Rates and quantiles are over the last five seconds. EFFECT is the share of all requests that a group took and did not drop.

    mirrorgate status --watch
    mirrorgate status --admin 10.0.0.7:12346 --admin-token-file token`
}

// Run prints the figures once, or until it is interrupted.
func (c *statusCmd) Run() error {
	client, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	show := console.Show
	if c.Watch {
		show = console.Watch
	}
	return asked(show(ctx, client, os.Stdout))
}
