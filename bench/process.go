package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startTimeout bounds the time until an agent shakes hands.
	startTimeout = 10 * time.Second
	// stopTimeout is how long an agent may take after SIGTERM, before SIGKILL.
	stopTimeout = 5 * time.Second
	// pollEvery is how often a state is looked at that announces itself by nothing.
	pollEvery = 20 * time.Millisecond
)

// process is an agent that runs as a process group of its own.
type process struct {
	cmd   *exec.Cmd
	tail  logTail
	log   *os.File // what nobody reads, or nil
	ended chan struct{}
}

// startProcess starts a command line by the shell. Nobody reads the log of one that
// is stuck: each line of it would wait for ever.
func startProcess(command string, stuckLog bool) (*process, error) {
	p := &process{ended: make(chan struct{})}
	// exec, so that the process is the agent and not a shell in front of it.
	p.cmd = exec.Command("sh", "-c", "exec "+command)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = &p.tail
	if stuckLog {
		read, write, err := fullPipe()
		if err != nil {
			return nil, fmt.Errorf("cannot make a log that is stuck: %w", err)
		}
		defer write.Close()
		p.cmd.Stderr, p.log = write, read
	}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the agent: %w", err)
	}
	go func() {
		// How it ended is in its state.
		_ = p.cmd.Wait()
		p.log.Close()
		close(p.ended)
	}()
	return p, nil
}

// fullPipe is one into which nothing more can be written.
func fullPipe() (read, write *os.File, err error) {
	if read, write, err = os.Pipe(); err != nil {
		return nil, nil, err
	}
	for line := make([]byte, 4<<10); err == nil; {
		if err = write.SetWriteDeadline(time.Now().Add(pollEvery)); err == nil {
			_, err = write.Write(line)
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return read, write, nil
	}
	read.Close()
	write.Close()
	return nil, nil, err
}

// awaitSPOP returns once the agent shakes hands on addr for the load. The errors: it ended,
// it listens but does not speak SPOP, it does not listen within the time.
func (p *process) awaitSPOP(ctx context.Context, addr string, l Load, timeout time.Duration) error {
	expired := time.After(timeout)
	for {
		c, err := dial(ctx, addr, l, 0)
		if err == nil {
			return c.nc.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return p.explain(err)
		}
		select {
		case <-p.ended:
			return p.died("before it listened")
		case <-expired:
			return p.quoting(fmt.Errorf("the agent does not listen on %s after %s", addr, timeout))
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollEvery):
		}
	}
}

// died says how the process ended, which it must have.
func (p *process) died(when string) error {
	how := p.cmd.ProcessState.String()
	return p.quoting(fmt.Errorf("the agent died %s: %s", when, how))
}

// explain returns err, or that the process died if that is behind it: a broken
// connection is often seen before its cause.
func (p *process) explain(err error) error {
	select {
	case <-p.ended:
		return p.died("half-way")
	case <-time.After(10 * pollEvery):
		return err
	}
}

func (p *process) quoting(err error) error {
	if tail := p.tail.String(); tail != "" {
		return fmt.Errorf("%w; the end of its log: %s", err, tail)
	}
	return err
}

func (p *process) usage() (usage, error) { return groupUsage(p.cmd.Process.Pid) }

// stop ends the whole process group and returns when it has ended.
func (p *process) stop() {
	group := -p.cmd.Process.Pid
	// An error is a group that has ended.
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	<-p.ended
}

// logTail keeps the last lines that were written to it.
type logTail struct {
	mu    sync.Mutex
	bytes []byte
}

const (
	logTailSize  = 4 << 10
	logTailLines = 5
)

// Write never fails.
func (w *logTail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes = append(w.bytes, b...)
	if over := len(w.bytes) - logTailSize; over > 0 {
		w.bytes = append(w.bytes[:0], w.bytes[over:]...)
	}
	return len(b), nil
}

// String is one line.
func (w *logTail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(w.bytes)), "\n")
	return strings.Join(lines[max(0, len(lines)-logTailLines):], " | ")
}
