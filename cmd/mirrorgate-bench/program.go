package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// program is one of ours that listens.
type program struct {
	addr   string
	cmd    *exec.Cmd
	output bytes.Buffer // the standard one; to be read once it has stopped
	cancel context.CancelFunc
}

// startProgram runs a command line on a free address, until stop is called.
func startProgram(ctx context.Context, on cpus, binary string, args ...string) (*program, error) {
	addr, release, err := haproxy.Reserve()
	if err != nil {
		return nil, err
	}
	release()
	ctx, cancel := context.WithCancel(ctx)
	p := &program{addr: addr, cmd: exec.CommandContext(ctx, binary, append(args, "--listen="+addr)...), cancel: cancel}
	p.cmd.Stdout = &p.output
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 5 * time.Second
	if err := onCores(on, p.cmd.Start); err != nil {
		cancel()
		return nil, fmt.Errorf("cannot start %s: %w", strings.Join(args, " "), err)
	}
	if err := awaitListener(ctx, addr); err != nil {
		p.stop()
		return nil, fmt.Errorf("cannot start %s: %w", strings.Join(args, " "), err)
	}
	return p, nil
}

// stop ends it and returns the CPU time that it took.
func (p *program) stop() time.Duration {
	p.cancel()
	_ = p.cmd.Wait() // it was told to
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

func awaitListener(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not listen: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
