package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/console"
)

type tuneCmd struct {
	adminFlags
	Name     string   `arg:"" help:"Group or target."`
	Settings []string `arg:"" name:"setting=value" help:"sample=2% of a group; rate=200/s, weight=3, paused=true of a target; and for=10m to have it revert. On each host that --admin names."`
}

// Help is what --help shows above the options.
func (*tuneCmd) Help() string {
	return `A change takes effect at once and loses no request. It is in force for the time that for= says, else until the configuration is read again.

    mirrorgate tune v2 sample=2% for=10m
    mirrorgate tune staging rate=200/s
    mirrorgate tune a paused=true for=10m
    mirrorgate tune v2 sample=2% --admin 10.0.0.7:12346,10.0.0.8:12346`
}

// Run asks for the changes and prints what came of them.
func (c *tuneCmd) Run() error {
	settings, err := console.ParseSettings(c.Settings)
	if err != nil {
		return usageError{fmt.Errorf("tune: %w", err)}
	}
	clients, err := c.clients()
	if err != nil {
		return err
	}
	return asked(settings.Tune(context.Background(), clients, c.Name, os.Stdout))
}
