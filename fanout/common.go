package fanout

import (
	"crypto/rand"
	"log/slog"
	"sync"
	"time"
)

// common is what all targets of a Fanout share.
type common struct {
	options    *Config // of New: TLS, Source, DNSTTL, Resolver, Steer and DifferenceLog follow no reload
	log        *slog.Logger
	memory     memory
	payloads   payloads
	workers    sync.Pool // of *worker that have ended
	start      time.Time
	processors processors
	logging    *rateLimit // lines for Config.DifferenceLog
	maskKey    [32]byte   // of what examples hide, see package example
}

// loggedPerSecond is how many lines Config.DifferenceLog gets at most, for all
// targets together.
const loggedPerSecond = 5

func newCommon(cfg Config) *common {
	c := &common{
		options: &cfg, log: cfg.Logger, start: time.Now(),
		processors: newProcessors(), logging: newRateLimit(loggedPerSecond, 0),
	}
	_, _ = rand.Read(c.maskKey[:]) // never fails
	return c
}

// now returns the nanoseconds since start on the monotonic clock: ages must not
// follow a step of the wall clock. Not by time.Now, which reads both.
func (c *common) now() int64 {
	if c.options.clock != nil {
		return int64(c.options.clock().Sub(c.start))
	}
	return int64(time.Since(c.start))
}

// tickEvery is how often idle connections are looked at, and queues that nobody
// takes from.
const tickEvery = 100 * time.Millisecond
