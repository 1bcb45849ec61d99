package bench

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Sink is a target that counts: an HTTP/1.1 server as cheap as can be, and one of
// HTTP/2 with prior knowledge where the mode is SinkOK, so that
// what is measured in front of it is the agent. It knows of a request no more
// than where it ends, and responds to all that one read brought with one write.
type Sink struct {
	ln         net.Listener
	tls        *tls.Config // nil: plain
	mode       SinkMode
	delay      time.Duration
	head, body string

	requests atomic.Uint64
	bytes    atomic.Uint64
	opened   atomic.Uint64
	failed   atomic.Pointer[error] // the first request that it cannot read

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil once closed
	done  sync.WaitGroup
	quit  chan struct{}
}

const sinkBuffer = 64 << 10

// ListenSink serves on addr ("host:port", port 0 for any) until Close. delay is
// for SinkDelay alone. The errors: an unknown mode, an address in use.
func ListenSink(addr string, mode SinkMode, delay time.Duration) (*Sink, error) {
	return listenSink(addr, mode, delay, nil)
}

// listenSink speaks TLS if there is a configuration for it.
func listenSink(addr string, mode SinkMode, delay time.Duration, secure *tls.Config) (*Sink, error) {
	head, body, err := mode.response()
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot start the sink: %w", err)
	}
	s := &Sink{
		ln: ln, tls: secure, mode: mode, delay: delay, head: head, body: body,
		conns: map[net.Conn]struct{}{}, quit: make(chan struct{}),
	}
	s.done.Go(s.accept)
	return s, nil
}

// Addr is "host:port".
func (s *Sink) Addr() string { return s.ln.Addr().String() }

// Requests is how many whole requests came so far, with or without a response.
func (s *Sink) Requests() uint64 { return s.requests.Load() }

// Bytes is how many bytes were read so far.
func (s *Sink) Bytes() uint64 { return s.bytes.Load() }

// Conns is how many connections were opened so far.
func (s *Sink) Conns() uint64 { return s.opened.Load() }

// Err says what came that is no HTTP/1.1 request or has no end, nil if nothing did.
func (s *Sink) Err() error {
	if err := s.failed.Load(); err != nil {
		return fmt.Errorf("cannot read what the agent sends to the sink: %w", *err)
	}
	return nil
}

// Close ends all connections and returns when nothing of the sink runs any more.
func (s *Sink) Close() {
	s.mu.Lock()
	if s.conns != nil {
		close(s.quit)
		s.ln.Close()
		for nc := range s.conns {
			nc.Close()
		}
		s.conns = nil
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *Sink) accept() {
	for {
		nc, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.pause(10 * time.Millisecond) // out of descriptors
			continue
		}
		s.mu.Lock()
		if s.conns == nil {
			s.mu.Unlock()
			nc.Close()
			return
		}
		s.conns[nc] = struct{}{}
		s.done.Go(func() { s.serve(nc) })
		s.mu.Unlock()
		s.opened.Add(1)
	}
}

func (s *Sink) serve(nc net.Conn) {
	defer func() {
		nc.Close()
		s.mu.Lock()
		delete(s.conns, nc)
		s.mu.Unlock()
	}()
	c := sinkConn{sink: s, tcp: nc.(*net.TCPConn)}
	c.nc = c.tcp
	if s.tls != nil {
		c.nc = tls.Server(nc, s.tls)
	}
	buf := make([]byte, sinkBuffer)
	for first := true; ; first = false {
		n, err := c.nc.Read(buf)
		if err != nil {
			return
		}
		if first && speaksHTTP2(buf[:n]) {
			c.serveHTTP2(buf, n)
			return
		}
		s.bytes.Add(uint64(n))
		for c.in.feed(buf[:n]); c.in.next(); {
			s.requests.Add(1)
			if !c.respond() {
				return
			}
		}
		if c.in.err != nil {
			s.failed.CompareAndSwap(nil, &c.in.err)
			c.out = append(c.out, badResponse...)
			c.closeGently()
			return
		}
		if c.in.waits() {
			c.out = append(c.out, continueResponse...)
		}
		if !c.flush() {
			return
		}
	}
}

// sinkConn is one connection of a sink.
type sinkConn struct {
	sink *Sink
	tcp  *net.TCPConn
	nc   closeWriter // that, or TLS over it
	in   scanner
	out  []byte
}

// closeWriter is what *net.TCPConn and *tls.Conn have in common.
type closeWriter interface {
	net.Conn
	CloseWrite() error
}

// respond is for the request that in has just found, and reports whether the
// connection goes on.
func (c *sinkConn) respond() bool {
	s := c.sink
	switch s.mode {
	case SinkHang:
		return true
	case SinkReset:
		c.tcp.SetLinger(0)
		return false
	case SinkDelay:
		s.pause(s.delay)
	}
	c.out = append(c.out, s.head...)
	if !c.in.head.isHEAD {
		c.out = append(c.out, s.body...)
	}
	switch {
	case s.mode == SinkCloseEach, c.in.head.closes:
		c.closeGently()
		return false
	case s.mode == SinkDelay, len(c.out) >= sinkBuffer:
		return c.flush()
	}
	return true
}

func (c *sinkConn) flush() bool {
	if len(c.out) == 0 {
		return true
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	return err == nil
}

// closeGently sends the response and closes, but reads on for a while: a close
// with unread input is a RST, which could overtake the response.
func (c *sinkConn) closeGently() {
	c.flush()
	c.nc.CloseWrite()
	c.nc.SetReadDeadline(time.Now().Add(time.Second))
	io.Copy(io.Discard, c.nc)
}

func (s *Sink) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.quit:
	}
}
