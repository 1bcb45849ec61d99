package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// end is how a connection looks when a response was expected.
type end string

const (
	closed  end = "closed"  // by the target, as TCP or TLS have it
	reset   end = "reset"   // by the target, with RST
	silent  end = "silent"  // open, and nothing comes
	garbled end = "garbled" // what comes is no response
)

// endOf names what a failed read says of the connection.
func endOf(err error) end {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return silent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return closed
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return reset
	}
	return garbled
}

// prober is one run.
type prober struct {
	Options
	sent   atomic.Int64 // requests
	asked  atomic.Bool  // for a client certificate
	showed atomic.Bool  // one
}

// conn is a connection to the target.
type conn struct {
	net.Conn
	p       *prober
	br      *bufio.Reader
	limited *io.LimitedReader // below br, for one response at a time
	writing sync.WaitGroup
	stop    func() bool
}

// open connects, and for https shakes hands with the protocols offered by ALPN.
func (p *prober) open(ctx context.Context, alpn ...string) (*conn, error) {
	connecting, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	dial := p.dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	socket, err := dial(connecting, "tcp", p.address())
	if err != nil {
		return nil, err
	}
	if p.URL.Scheme == "https" {
		if socket, err = p.handshake(connecting, socket, alpn); err != nil {
			return nil, err
		}
	}
	c := &conn{Conn: socket, p: p, limited: &io.LimitedReader{R: socket, N: responseAtMost}}
	c.br = bufio.NewReader(c.limited)
	c.stop = context.AfterFunc(ctx, func() { socket.Close() })
	return c, nil
}

// finish closes the connection, and waits for what is written on it.
func (c *conn) finish() {
	c.stop()
	c.Close()
	c.writing.Wait()
}

// send writes requests in one go, while responses are read: a target may answer,
// and close, before it has read all of a large one.
func (c *conn) send(requests ...request) {
	var wire []byte
	for _, r := range requests {
		wire = r.append(wire, &c.p.Options)
	}
	c.p.sent.Add(int64(len(requests)))
	c.SetWriteDeadline(time.Now().Add(c.p.Timeout))
	c.writing.Go(func() { _, _ = c.Write(wire) }) // what fails shows in what is read
}

// receive reads the response to a request with this method.
func (c *conn) receive(method string) (response, error) {
	start := time.Now()
	c.SetReadDeadline(start.Add(c.p.Timeout))
	c.limited.N = responseAtMost
	var kept response
	r, err := c.final(method)
	if err == nil {
		if kept, err = keepResponse(r, start); err != nil && endOf(err) == silent {
			err = fmt.Errorf("a response (%s) that does not end within %v; give another path", &kept, c.p.Timeout)
		}
	}
	if c.limited.N == 0 {
		err = fmt.Errorf("a response of more than %s; give a path with a smaller one", bytesText(responseAtMost))
	}
	return kept, err
}

// final reads heads up to that of the final response.
func (c *conn) final(method string) (*http.Response, error) {
	switch first, err := c.br.Peek(1); {
	case err != nil:
		return nil, err
	case first[0] == tlsAlert:
		return nil, errSpeaksTLS
	}
	for range interimAtMost {
		r, err := http.ReadResponse(c.br, &http.Request{Method: method})
		switch {
		case err != nil:
			return nil, fmt.Errorf("no HTTP/1.1 response: %w", err)
		case r.StatusCode >= 200 || r.StatusCode == http.StatusSwitchingProtocols:
			return r, nil
		}
	}
	return nil, fmt.Errorf("more than %d interim responses", interimAtMost)
}

const (
	tlsAlert       = 21      // the first byte of a TLS record with an alert (RFC 8446 section 5.1)
	responseAtMost = 4 << 20 // bytes that are read of one, with its head
	interimAtMost  = 10      // 1xx responses before the final one
)

// ask sends a request over a connection of its own.
func (p *prober) ask(ctx context.Context, r request) (response, error) {
	c, err := p.open(ctx, "http/1.1")
	if err != nil {
		return response{}, err
	}
	defer c.finish()
	c.send(r)
	return c.receive(r.method)
}
