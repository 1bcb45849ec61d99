package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
)

var (
	errHTTP2Only   = errors.New("it speaks HTTP/2 only, and the other questions are asked over HTTP/1.1")
	errCertificate = errors.New("it wants a client certificate: give --tls-cert and --tls-key")
	errSpeaksTLS   = errors.New("it speaks TLS: the URL should begin with https://")
	errSpeaksPlain = errors.New("it does not speak TLS there: should the URL begin with http://?")
)

// Run asks all questions. Without a report the target was not reached, or ctx
// ended; with one, an error says why it cannot be mirrored to.
func Run(ctx context.Context, o Options) (*Report, error) {
	p := &prober{Options: o}
	r := &Report{URL: o.URL.Redacted(), Host: o.host()}
	err := p.run(ctx, r)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	switch {
	case errors.Is(err, errHTTP2Only):
		err = fmt.Errorf("cannot find out all of %s, but it can be mirrored to, with --target %s: %w", r.URL, o.overHTTP2(), err)
	case err != nil:
		err = fmt.Errorf("cannot mirror to %s: %w", r.URL, err)
	}
	if r.Address == "" {
		return nil, err
	}
	r.Requests = int(p.sent.Load())
	if r.TLS != nil {
		r.TLS.ClientCertificate = p.certificateState()
	}
	if err == nil {
		r.advise(&o)
	}
	return r, err
}

func (p *prober) run(ctx context.Context, r *Report) error {
	if err := p.reach(ctx, r); err != nil {
		return err
	}
	first, alone, seen, err := p.keepAlive(ctx)
	if p.URL.Scheme == "http" {
		r.HTTP2 = p.cleartext2(ctx)
	}
	if err != nil {
		return p.unusable(err, r.HTTP2.Status > 0)
	}
	r.KeepAlive = seen
	r.Response = &Response{Status: first.status, Version: first.version, Server: first.server, Bytes: first.length, Seconds: first.duration.Seconds()}

	var waiting sync.WaitGroup
	defer waiting.Wait()
	if seen.lasts() {
		waiting.Go(func() { p.idle(ctx, &r.KeepAlive) })
		r.Pipelining.GETs = p.pipelining(ctx, alone)
	}
	r.Head = p.head(ctx)
	r.OtherHost = p.otherHost(ctx, first)
	r.Limits.Line = p.limit(ctx, lineSizes, first.status, p.longLine)
	r.Limits.Head = p.limit(ctx, headSizes, first.status, p.largeHead)
	if p.Writes {
		p.write(ctx, r, alone)
	}
	return nil
}

// reach connects, and sees what the handshake tells.
func (p *prober) reach(ctx context.Context, r *Report) error {
	c, err := p.open(ctx, "h2", "http/1.1")
	if err != nil {
		return p.unusable(err, false)
	}
	defer c.finish()
	r.Address, r.TLS = c.RemoteAddr().String(), p.inspect(c)
	if r.TLS != nil && r.TLS.ALPN == "h2" {
		r.HTTP2 = c.http2()
	}
	return nil
}

// unusable says why there is no HTTP/1.1 response at all.
func (p *prober) unusable(err error, http2 bool) error {
	switch {
	case p.asked.Load() && !p.showed.Load():
		return fmt.Errorf("%w (%w)", errCertificate, err)
	case http2:
		return errHTTP2Only
	case errors.As(err, new(tls.RecordHeaderError)):
		return errSpeaksPlain
	case endOf(err) == silent:
		return fmt.Errorf("no response within %v", p.Timeout)
	}
	return errors.New(problem(err))
}

// write asks what takes POSTs.
func (p *prober) write(ctx context.Context, r *Report, alone print) {
	posted, err := p.ask(ctx, post(3))
	if err != nil {
		r.Pipelining.POSTs = []Exchange{{Sent: 1, Verdict: Unanswered, Detail: problem(err)}}
		return
	}
	r.Posted = posted.status
	if r.KeepAlive.lasts() {
		r.Pipelining.POSTs = p.behindPOST(ctx, alone, posted.print().withoutLength())
	}
	r.Limits.Body = p.limit(ctx, bodySizes, posted.status, post)
}

func (p *prober) certificateState() string {
	switch {
	case p.showed.Load():
		return "shown"
	case p.asked.Load():
		return "asked"
	}
	return ""
}
