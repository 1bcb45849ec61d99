package probe

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"
)

const (
	keepAliveRequests = 3
	idleRequests      = 2
)

// keepAlive sends GETs one after another on one connection, and returns the first
// response and what all had in common; an error says that there is none.
func (p *prober) keepAlive(ctx context.Context) (first response, alone print, seen KeepAlive, err error) {
	c, err := p.open(ctx, "http/1.1")
	if err != nil {
		return first, alone, seen, err
	}
	defer c.finish()
	for seen.Responses < keepAliveRequests && !seen.Announced {
		c.send(get)
		r, err := c.receive(http.MethodGet)
		switch {
		case err != nil && seen.Responses == 0:
			return first, alone, seen, err
		case err != nil:
			seen.Broken = problem(err)
			return first, alone, seen, nil
		case seen.Responses == 0:
			first, alone = r, r.print()
		case r.length != first.length:
			alone = alone.withoutLength()
		}
		seen.Responses++
		seen.Announced, seen.Hint = r.closes, r.keep
	}
	return first, alone, seen, nil
}

// idle waits on a connection that had a response, until the target closes it or
// it was watched for long enough, and then uses it once more.
func (p *prober) idle(ctx context.Context, seen *KeepAlive) error {
	c, err := p.open(ctx, "http/1.1")
	if err != nil {
		return err
	}
	defer c.finish()
	c.send(get)
	if r, err := c.receive(http.MethodGet); err != nil || r.closes {
		return err
	}
	since := time.Now()
	c.SetReadDeadline(since.Add(p.idleAtMost()))
	_, err = c.br.Peek(1)
	seen.Idle = time.Since(since).Seconds()
	if err == nil {
		seen.Unasked = "bytes that are no response"
		if r, err := c.receive(http.MethodGet); err == nil {
			seen.Unasked = r.String()
		}
		return nil
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	seen.AtLeast, seen.Idle = true, p.idleAtMost().Seconds()
	c.send(get)
	if _, err := c.receive(http.MethodGet); err != nil {
		seen.Deaf = problem(err)
	}
	return nil
}

// problem says in words what is wrong instead of a response.
func problem(err error) string {
	switch endOf(err) {
	case silent:
		return "no response"
	case closed:
		return "the connection was closed"
	case reset:
		return "the connection was reset"
	}
	return err.Error()
}
