package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/doctor"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// doctorCmd looks for what will go wrong.
type doctorCmd struct {
	Files   []string         `arg:"" optional:"" name:"file" help:"HAProxy's configuration: files, or directories of *.cfg, in HAProxy's order."`
	More    []string         `name:"haproxy-config" sep:"none" placeholder:"FILE" help:"The same. Repeatable."`
	Config  string           `placeholder:"FILE" help:"The configuration file of mirrorgate: are its targets production?"`
	Agent   []string         `placeholder:"ADDRESS" help:"Ask this agent, HOST:PORT or unix:PATH, instead of those that the configuration names. Repeatable."`
	MaxBody options.ByteSize `placeholder:"BYTES" help:"Bodies up to this size have to arrive whole, like 64k."`
	Connect bool             `default:"true" negatable:"" help:"Ask the running agents for a handshake."`
}

// Run prints what it finds, a line each.
func (c *doctorCmd) Run() error {
	files := append(c.Files, c.More...)
	if len(files) == 0 {
		return usageError{errors.New("doctor: name HAProxy's configuration, like mirrorgate doctor /etc/haproxy/haproxy.cfg")}
	}
	targets, err := c.targets()
	if err != nil {
		return usageError{err}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	findings, err := doctor.Examine(ctx, doctor.Options{
		Files: files, Agents: c.Agent, Targets: targets, HAProxy: findHAProxy(), Connect: c.Connect, MaxBody: int64(c.MaxBody), Getenv: os.Getenv,
	})
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return usageError{fmt.Errorf("doctor: cannot read %s: %w", unreadable.Path, unreadable.Err)}
	case err != nil:
		return usageError{fmt.Errorf("doctor: %w", err)}
	}
	wrong := 0
	for _, f := range findings {
		fmt.Println(f)
		if !f.Note {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%s: %d to fix", strings.Join(files, ", "), wrong)
	}
	fmt.Printf("%s: nothing to fix\n", strings.Join(files, ", "))
	return nil
}

// findHAProxy returns the program, also where only root's PATH leads; empty if there is
// none.
func findHAProxy() string {
	if program, err := haproxy.Find(); err == nil {
		return program
	}
	for _, program := range []string{"/usr/local/sbin/haproxy", "/usr/sbin/haproxy"} {
		if info, err := os.Stat(program); err == nil && info.Mode().IsRegular() {
			return program
		}
	}
	return ""
}

// targets reads those of mirrorgate's configuration file.
func (c *doctorCmd) targets() (all []doctor.Target, err error) {
	if c.Config == "" {
		return nil, nil
	}
	_, read, err := parse([]string{"check", "--config", c.Config})
	if err != nil {
		return nil, err
	}
	targets, err := read.Check.ParseTargets()
	for _, t := range targets {
		all = append(all, doctor.Target{Name: t.Name, URL: t.URL})
	}
	return all, err
}

// Help is what --help shows above the options.
func (*doctorCmd) Help() string {
	return `It reads what HAProxy reads, and says what will go wrong once the mirror is slow, dead, or fed with large bodies, with file, line, and fix. Where haproxy is installed, haproxy -c has its say first. It shakes hands with the agents that the configuration names, or those of --agent. With --config it compares mirrorgate's targets with HAProxy's bind and server lines: a target that is production does every write twice. Exit status 0: nothing to fix, 1: something is, 2: wrong use.

    mirrorgate doctor /etc/haproxy/haproxy.cfg
    mirrorgate doctor /etc/haproxy/haproxy.cfg --config /etc/mirrorgate.yml
    mirrorgate doctor /etc/haproxy/conf.d --max-body 64k --no-connect`
}
