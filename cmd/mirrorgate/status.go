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
	Watch bool `help:"Show it again every second, in place if this is a terminal, until interrupted." xor:"how"`
	JSON  bool `name:"json" help:"Print what GET /api/stats of each host says, as a list." xor:"how"`
}

// Help is what --help shows above the options.
func (*statusCmd) Help() string {
	return `Rates and quantiles are over the last five seconds. EFFECT is the share of all requests that a group took and did not drop, CLASS what is not 2xx among the responses, ERR and DROP are parts of what was sent and of what was meant for the target. Of several hosts, rates are added up; of quantiles and EFFECT the worst is shown.

Exit status 0: all is well, 1: a breaker is open, a target dropped requests within five seconds for another reason than paused or rate, or a host cannot be reached, 2: wrong use.

    mirrorgate status --watch
    mirrorgate status --admin 10.0.0.7:12346,10.0.0.8:12346 --admin-token-file token
    mirrorgate status --admin https://mirror.example.com --json`
}

// Run prints the figures once, or until it is interrupted.
func (c *statusCmd) Run() error {
	clients, err := c.clients()
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	switch {
	case c.Watch:
		err = console.Watch(ctx, clients, os.Stdout)
	case c.JSON:
		err = console.ShowJSON(ctx, clients, os.Stdout)
	default:
		err = console.Show(ctx, clients, os.Stdout)
	}
	return asked(err)
}
