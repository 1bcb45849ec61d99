package fanout

import (
	"bytes"
	"sync"
	"time"
)

// Difference is a request that a target answered with another status code than
// production did. The query of its path is cut: it may hold secrets.
type Difference struct {
	Time    time.Time `json:"time"` // of the target's response
	Target  string    `json:"target"`
	Result  string    `json:"result"` // as in mirrorgate_compare_total
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	ID      string    `json:"id,omitempty"`
	Primary Response  `json:"primary"`
	Mirror  Response  `json:"mirror"`
}

// Response is one side of a Difference.
type Response struct {
	Status  int      `json:"status"`
	Seconds *float64 `json:"seconds,omitempty"` // nil if unknown
}

const (
	keptDifferences = 64  // of each target
	maxPath         = 512 // bytes of a path that are kept
	// Of more differences than this a sample is kept: by then the counters tell
	// more, and workers have better things to do.
	differencesPerSecond = 10
)

// differences are the last ones of one target.
type differences struct {
	limit *rateLimit

	mu   sync.Mutex
	ring []Difference // up to keptDifferences
	next int          // where in a full ring the oldest stands
}

func newDifferences() *differences {
	d := &differences{limit: newRateLimit(differencesPerSecond, 0)}
	d.limit.burst = keptDifferences * d.limit.interval // the first ones are all kept
	d.limit.empty.Store(-d.limit.burst)
	return d
}

func (d *differences) add(one Difference) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.ring) < keptDifferences {
		d.ring = append(d.ring, one)
		return
	}
	d.ring[d.next] = one
	d.next = (d.next + 1) % keptDifferences
}

func (d *differences) appendTo(all []Difference) []Difference {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append(all, d.ring...)
}

// differed keeps and logs a response that differs, unless there are too many.
func (t *target) differed(p *payload, code int, took int64) {
	now := t.now()
	kept := t.differs.limit.allow(now)
	logged := t.options.DifferenceLog != nil && t.logging.allow(now)
	if !kept && !logged {
		return
	}
	method, path := p.requestLine()
	path, _, _ = bytes.Cut(path, []byte("?"))
	seconds := float64(took) / 1e9
	d := Difference{
		Time: time.Now(), Target: t.cfg.Name, Result: otherStatus.String(),
		Method: string(method), Path: string(path[:min(len(path), maxPath)]), ID: string(p.id()),
		Primary: Response{Status: int(p.status)}, Mirror: Response{code, &seconds},
	}
	if p.took >= 0 {
		primary := float64(p.took) / 1e3
		d.Primary.Seconds = &primary
	}
	if kept {
		t.differs.add(d)
	}
	if logged {
		t.options.DifferenceLog.Info("answers differ", "target", d.Target, "result", d.Result, "method", d.Method, "path", d.Path,
			"primary", d.Primary.Status, "mirror", d.Mirror.Status, "id", d.ID)
	}
}
