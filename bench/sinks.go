package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"
)

// SinkConfig says which targets stand behind the agent.
type SinkConfig struct {
	Addr    string // "host:port" of the first, the others on the ports behind it; port 0: any
	Targets int    // 0: none, only ACKs are measured
	Mode    SinkMode
	Delay   time.Duration // for SinkDelay
	TLS     bool          // with a certificate that nobody has signed
}

func (cfg SinkConfig) anyPort() bool {
	_, port, _ := net.SplitHostPort(cfg.Addr)
	return port == "" || port == "0"
}

// sinks are all targets of a run.
type sinks []*Sink

func listenSinks(cfg SinkConfig) (all sinks, err error) {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("cannot start the sink: %w", err)
	}
	first, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("cannot start the sink: %q is no port", port)
	}
	var secure *tls.Config
	if cfg.TLS {
		if secure, err = selfSigned(); err != nil {
			return nil, err
		}
	}
	for i := range cfg.Targets {
		n := int(first)
		if n > 0 {
			n += i
		}
		s, err := listenSink(net.JoinHostPort(host, strconv.Itoa(n)), cfg.Mode, cfg.Delay, secure)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (all sinks) close() {
	for _, s := range all {
		s.Close()
	}
}

func (all sinks) addrs() []string {
	var addrs []string
	for _, s := range all {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

func (all sinks) requests() uint64 {
	var n uint64
	for _, s := range all {
		n += s.Requests()
	}
	return n
}

func (all sinks) conns() uint64 {
	var n uint64
	for _, s := range all {
		n += s.Conns()
	}
	return n
}

// err is the first of any sink.
func (all sinks) err() error {
	for _, s := range all {
		if err := s.Err(); err != nil {
			return err
		}
	}
	return nil
}

const (
	// idleTimeout is how long nothing may come until all counts as delivered or dropped.
	idleTimeout = time.Second
	// duplicateTimeout is the same once all is delivered: only duplicates can follow.
	duplicateTimeout = 100 * time.Millisecond
	// deliveryTimeout bounds the wait for that.
	deliveryTimeout = time.Minute
)

// awaitDeliveries waits until nothing more comes of what was acknowledged.
func (all sinks) awaitDeliveries(ctx context.Context, acked uint64, cfg SinkConfig) error {
	still := idleTimeout
	if cfg.Mode == SinkDelay {
		still += 2 * cfg.Delay
	}
	want := acked * uint64(len(all))
	seen, since := all.requests(), time.Now()
	for begin := since; ; {
		idle := time.Since(since)
		if idle >= still || seen >= want && idle >= duplicateTimeout {
			return nil
		}
		if time.Since(begin) > deliveryTimeout {
			return fmt.Errorf("cannot end the run: requests still come %s after the load", deliveryTimeout)
		}
		if err := wait(ctx, pollEvery); err != nil {
			return err
		}
		if n := all.requests(); n != seen {
			seen, since = n, time.Now()
		}
	}
}
