package fanout

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Fanout sends copies of requests to targets. Make one with New and end it with
// Drain.
type Fanout struct {
	cfg      Config
	log      *slog.Logger
	metrics  *gatewayMetrics
	groups   []*group
	targets  []*target
	fates    *fates
	tail     []byte // what ends every header section, from the fields set by option on
	overhead int    // bytes that a request in wire format can have besides its own
	held     atomic.Int64
	payloads payloads
	batches  sync.Pool
	start    time.Time
	stopTick chan struct{}
	ticking  sync.WaitGroup
}

// New checks cfg and returns a Fanout that is ready for Submit. Errors name the
// option that is wrong. It connects to nothing before there is a request.
func New(cfg Config) (*Fanout, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Fanout{
		cfg:      cfg,
		log:      cfg.Logger,
		fates:    newFates(cfg.DelHeaders, cfg.SetHeaders),
		start:    time.Now(),
		stopTick: make(chan struct{}),
	}
	for _, h := range cfg.SetHeaders {
		f.tail = appendField(f.tail, h.Name, []byte(h.Value))
	}
	f.tail = append(f.tail, markerLine+"\r\n"...)
	f.overhead = len(" / HTTP/1.1\r\nhost: \r\ncontent-length: 9223372036854775807\r\n"+truncatedLine) + len(f.tail)
	f.metrics = newGatewayMetrics(f)
	f.build()
	f.batches.New = func() any {
		return &batch{f: f, groups: make([]groupBatch, len(f.groups)), targets: make([]targetBatch, len(f.targets))}
	}
	f.ticking.Go(f.tick)
	return f, nil
}

// build makes the groups and targets, in the order of the options.
func (f *Fanout) build() {
	byName := map[string]*group{}
	for i := range f.cfg.Targets {
		tc := f.cfg.Targets[i]
		name := tc.groupName()
		g := byName[name]
		if g == nil {
			g = &group{name: name, sample: tc.Sample, methods: tc.Methods, seed: xxhash.Sum64String(name)}
			g.metrics = newGroupMetrics(f.cfg.Metrics, g)
			byName[name] = g
			f.groups = append(f.groups, g)
		}
		t := newTarget(f, i, tc)
		g.targets = append(g.targets, t)
		g.weight += uint64(tc.Weight)
		f.targets = append(f.targets, t)
	}
}

// now returns the nanoseconds since start on the monotonic clock: ages must not
// follow a step of the wall clock.
func (f *Fanout) now() int64 { return int64(time.Since(f.start)) }

// tickEvery is how often idle lanes are looked at, and queues that nobody takes
// from.
const tickEvery = 100 * time.Millisecond

func (f *Fanout) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			for _, t := range f.targets {
				t.tick(f.now())
			}
		case <-f.stopTick:
			return
		}
	}
}

// Describe returns a sentence for each group that says what will happen to the
// requests.
func (f *Fanout) Describe() []string {
	var lines []string
	for _, g := range f.groups {
		line := "mirroring " + formatShare(g.sample) + " of "
		if len(g.methods) > 0 {
			line += strings.Join(g.methods, "+") + " "
		}
		line += "requests to "
		if len(g.targets) > 1 || g.targets[0].cfg.Group != "" {
			line += fmt.Sprintf("group %s (%d targets) ", g.name, len(g.targets))
		}
		var urls []string
		for _, t := range g.targets {
			share := ""
			if len(g.targets) > 1 {
				share = " " + formatShare(float64(t.cfg.Weight)/float64(g.weight))
			}
			urls = append(urls, t.cfg.Name+"="+t.cfg.URL.Redacted()+share)
		}
		lines = append(lines, line+strings.Join(urls, ", "))
	}
	return lines
}
