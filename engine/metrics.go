package engine

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/codec"
)

// frameKind is a type of frame as it is counted.
type frameKind uint8

const (
	kindHello frameKind = iota
	kindNotify
	kindUnset
	kindDisconnect
	kindUnknown // also the types that only an agent may send
	frameKinds
)

func kindOf(t codec.FrameType) frameKind {
	switch t {
	case codec.FrameHAProxyHello:
		return kindHello
	case codec.FrameNotify:
		return kindNotify
	case codec.FrameUnset:
		return kindUnset
	case codec.FrameHAProxyDisconnect:
		return kindDisconnect
	}
	return kindUnknown
}

func (k frameKind) String() string {
	return [...]string{"haproxy-hello", "notify", "unset", "haproxy-disconnect", "unknown"}[k]
}

// refusal is why a connection was closed that did nothing wrong by the protocol.
type refusal uint8

const (
	refusedAllow     refusal = iota // the peer is not among those allowed
	refusedHandshake                // no HELLO in time
	refusedFrame                    // a frame, or a fragmented NOTIFY, did not end in time
	refusedFull                     // room was needed, and it had not shaken hands, or its host had too many
	refusedBacklog                  // the peer does not read its ACKs
	refusedResource                 // no descriptor was left for it
	refusals
)

func (r refusal) String() string {
	return [...]string{"allow", "handshake", "frame", "full", "backlog", "resource"}[r]
}

type counters struct {
	frames  [frameKinds]*metrics.Counter
	refused [refusals]*metrics.Counter
	errors  map[codec.Status]*metrics.Counter
	ignored *metrics.Counter
	acks    ackTime
}

func newCounters(set *metrics.Set, connections func() float64) *counters {
	c := &counters{
		ignored: set.NewCounter("mirrorgate_spop_messages_ignored_total"),
		errors:  make(map[codec.Status]*metrics.Counter, len(codec.Statuses)),
	}
	set.NewGauge("mirrorgate_spop_connections", connections)
	for k := range frameKinds {
		c.frames[k] = set.NewCounter(fmt.Sprintf("mirrorgate_spop_frames_total{type=%q}", k))
	}
	for r := range refusals {
		c.refused[r] = set.NewCounter(fmt.Sprintf("mirrorgate_spop_connections_refused_total{reason=%q}", r))
	}
	for _, s := range codec.Statuses[1:] {
		c.errors[s] = set.NewCounter(fmt.Sprintf("mirrorgate_spop_errors_total{code=\"%d\"}", s))
	}
	set.RegisterMetricsWriter(c.acks.write)
	return c
}

func (c *counters) add(w *wake) {
	for k, n := range w.frames {
		if n > 0 {
			c.frames[k].Add(n)
		}
	}
	if w.ignored > 0 {
		c.ignored.Add(w.ignored)
	}
	if w.sent != codec.StatusNormal {
		c.errors[w.sent].Inc()
	}
}
