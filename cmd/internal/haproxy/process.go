package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ReadyPath is what each configuration must name as its monitor-uri; it is
// responded to in front of all filters, so that it is never mirrored.
const ReadyPath = "/haproxy-ready"

// ErrMissing is the error if there is no haproxy on PATH.
var ErrMissing = errors.New("haproxy is not on PATH")

// Find returns the path of haproxy, or ErrMissing.
func Find() (string, error) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		return "", ErrMissing
	}
	return path, nil
}

// Process is a HAProxy that runs as a child of ours, in a directory of its own.
type Process struct {
	addr   string // its first
	cmd    *exec.Cmd
	dir    string
	output *Output
	exited chan struct{}
}

// Start writes files, by name, into a new directory and runs HAProxy there with
// haproxy.cfg. The listeners are passed on as fd@3, fd@4, …: no port can be lost
// to another process meanwhile. They are closed here in any case. It returns when
// the first of them answers. What HAProxy says goes to Output.
func Start(ctx context.Context, files map[string]string, listeners ...*net.TCPListener) (*Process, error) {
	p := &Process{addr: listeners[0].Addr().String(), output: new(Output)}
	var inherited []*os.File
	var failed error
	for _, l := range listeners {
		f, err := l.File()
		if err != nil {
			failed = err
		} else {
			defer f.Close()
			inherited = append(inherited, f)
		}
		l.Close()
	}
	if failed != nil {
		return nil, fmt.Errorf("cannot start HAProxy: %w", failed)
	}
	return p.start(ctx, files, inherited)
}

// StartAt is like Start for a configuration that binds addr by itself, as it must
// for a Reload.
func StartAt(ctx context.Context, addr string, files map[string]string) (*Process, error) {
	p := &Process{addr: addr, output: new(Output)}
	return p.start(ctx, files, nil)
}

// Reload starts another HAProxy in the directory of p, which takes the sockets of
// p over and tells it to finish what it has and to end (-x, -sf). It returns when
// HAProxy answers, by either of the two. They share their Output, and both have
// to be stopped; only the new one can be asked.
func (p *Process) Reload(ctx context.Context, files map[string]string) (*Process, error) {
	next := &Process{addr: p.addr, output: p.output, dir: p.dir}
	p.dir = ""
	return next.start(ctx, files, nil, "-x", Socket, "-sf", strconv.Itoa(p.cmd.Process.Pid))
}

func (p *Process) start(ctx context.Context, files map[string]string, inherited []*os.File, args ...string) (*Process, error) {
	err := p.run(files, inherited, args)
	if err == nil {
		err = p.await(ctx)
	}
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("cannot start HAProxy: %w", err)
	}
	return p, nil
}

func (p *Process) run(files map[string]string, inherited []*os.File, args []string) error {
	path, err := Find()
	if err != nil {
		return err
	}
	if p.dir == "" {
		if p.dir, err = os.MkdirTemp("", "mirrorgate-haproxy-"); err != nil {
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	p.cmd = exec.Command(path, append([]string{"-db", "-f", "haproxy.cfg"}, args...)...)
	p.cmd.Dir = p.dir
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.ExtraFiles = inherited
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.exited = make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // what matters is in the output
		close(p.exited)
	}()
	return nil
}

// await asks until HAProxy answers, exits, or has had ten seconds.
func (p *Process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	go func() {
		<-p.exited
		cancel()
	}()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+ReadyPath, nil)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if resp, err := client.Do(req); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("it does not answer on %s: %s", p.addr, p.output.last())
}

// Output is what HAProxy wrote, to the standard output and its log as well.
func (p *Process) Output() *Output { return p.output }

// Signal sends a signal. SIGUSR1 is a soft stop, SIGTERM a hard one. It fails if
// HAProxy has gone.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Exited is closed when HAProxy has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Stop ends HAProxy and returns when it has gone. It may be called again.
func (p *Process) Stop() {
	if p.exited != nil {
		_ = p.Signal(syscall.SIGTERM) // fails if it has gone
		select {
		case <-p.exited:
		case <-time.After(5 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.exited
		}
	}
	if p.dir != "" {
		os.RemoveAll(p.dir)
	}
}
