package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/doctor"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// doctorCmd looks for what will bite.
type doctorCmd struct {
	Config  []string         `name:"haproxy-config" required:"" sep:"none" placeholder:"FILE" help:"HAProxy's configuration: a file, or a directory of *.cfg. Repeatable, in HAProxy's order."`
	Agent   []string         `placeholder:"ADDRESS" help:"Ask this agent, HOST:PORT or unix:PATH, instead of those that the configuration names. Repeatable."`
	MaxBody options.ByteSize `placeholder:"BYTES" help:"Bodies up to this size have to arrive whole, like 64k."`
	Connect bool             `default:"true" negatable:"" help:"Ask the running agents for a handshake."`
}

// Run prints what it finds, a line each.
func (c *doctorCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	findings, err := doctor.Examine(ctx, doctor.Options{
		Files: c.Config, Agents: c.Agent, Connect: c.Connect, MaxBody: int64(c.MaxBody), Getenv: os.Getenv,
	})
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return usageError{fmt.Errorf("--haproxy-config: cannot read %s: %w", unreadable.Path, unreadable.Err)}
	case err != nil:
		return usageError{fmt.Errorf("--haproxy-config: %w", err)}
	}
	bites := 0
	for _, f := range findings {
		fmt.Println(f)
		if !f.Note {
			bites++
		}
	}
	if bites > 0 {
		return fmt.Errorf("%s: %d to mend", strings.Join(c.Config, ", "), bites)
	}
	fmt.Printf("%s: nothing bites\n", strings.Join(c.Config, ", "))
	return nil
}

// Help is what --help shows above the options.
func (*doctorCmd) Help() string {
	return `It reads what HAProxy reads, and says what will bite once the mirror is slow, dead, or fed with large bodies, with file, line, and mend. It also shakes hands with the agents that the configuration names, or those of --agent. Exit status 0: nothing bites, 1: something does, 2: wrong use.

    mirrorgate doctor --haproxy-config /etc/haproxy/haproxy.cfg
    mirrorgate doctor --haproxy-config /etc/haproxy/conf.d --max-body 64k --no-connect`
}
