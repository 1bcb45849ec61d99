package main

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
	"strings"
	"sync"
	"syscall"
	"time"
)

// haproxy is a HAProxy that runs as a child of ours, in a directory of its own.
type haproxy struct {
	process *exec.Cmd
	dir     string
	output  output
	exited  chan struct{}
}

// haproxyReady is what each configuration must name as its monitor-uri; it is
// answered in front of all filters, so that it is never mirrored.
const haproxyReady = "/haproxy-ready"

var errNoHAProxy = errors.New("haproxy is not on PATH")

func findHAProxy() (string, error) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		return "", errNoHAProxy
	}
	return path, nil
}

// startHAProxy writes files, by name, into a new directory and runs HAProxy there
// with haproxy.cfg. The listeners are passed on as fd@3, fd@4, …: no port can be
// lost to another process meanwhile. They are closed here in any case. It
// returns when the first of them answers.
func startHAProxy(ctx context.Context, files map[string]string, listeners ...*net.TCPListener) (*haproxy, error) {
	defer func() {
		for _, l := range listeners {
			l.Close()
		}
	}()
	path, err := findHAProxy()
	if err != nil {
		return nil, err
	}
	h := &haproxy{exited: make(chan struct{})}
	if h.dir, err = os.MkdirTemp("", "mirrorgate-haproxy-"); err != nil {
		return nil, fmt.Errorf("cannot make a directory for HAProxy: %w", err)
	}
	if err := h.run(path, files, listeners); err != nil {
		os.RemoveAll(h.dir)
		return nil, fmt.Errorf("cannot start HAProxy: %w", err)
	}
	if err := h.await(ctx, "http://"+listeners[0].Addr().String()+haproxyReady); err != nil {
		h.stop()
		return nil, err
	}
	return h, nil
}

func (h *haproxy) run(path string, files map[string]string, listeners []*net.TCPListener) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	h.process = exec.Command(path, "-db", "-f", "haproxy.cfg")
	h.process.Dir = h.dir
	h.process.Stdout, h.process.Stderr = &h.output, &h.output
	for _, l := range listeners {
		f, err := l.File()
		if err != nil {
			return err
		}
		defer f.Close()
		h.process.ExtraFiles = append(h.process.ExtraFiles, f)
	}
	if err := h.process.Start(); err != nil {
		return err
	}
	go func() {
		_ = h.process.Wait() // what matters is in the output
		close(h.exited)
	}()
	return nil
}

// await asks until HAProxy answers, exits, or has had ten seconds.
func (h *haproxy) await(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	go func() {
		<-h.exited
		cancel()
	}()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
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
	return fmt.Errorf("HAProxy does not answer on %s: %s", url, h.output.last())
}

// stop ends HAProxy and returns when it has gone.
func (h *haproxy) stop() {
	_ = h.process.Process.Signal(syscall.SIGTERM) // fails if it has gone
	select {
	case <-h.exited:
	case <-time.After(5 * time.Second):
		_ = h.process.Process.Kill()
		<-h.exited
	}
	os.RemoveAll(h.dir)
}

// output keeps the end of what a process writes.
type output struct {
	mu   sync.Mutex
	text []byte
}

const maxOutput = 1 << 20

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if len(o.text) > 2*maxOutput {
		o.text = append(o.text[:0], o.text[len(o.text)-maxOutput:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// last returns the last lines in one.
func (o *output) last() string {
	lines := strings.Split(strings.TrimSpace(o.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
