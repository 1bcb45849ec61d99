package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// Config says what a Reader reads.
type Config struct {
	Address
	Login    Login
	From, To time.Time // only what arrived in that time; zero: no limit

	// Group is the consumer group that shares the partitions; empty: the Reader has all
	// of them, and commits nothing.
	Group string
	// Mark returns what reports whether all is finished that the Reader has returned
	// before the call of Next that is the last so far. It is for a group only: offsets are
	// committed behind what is finished. Any goroutine may call it, and what it returns.
	Mark func() func() bool
}

const (
	// handed is how many records Next returns at most.
	handed = 64
	// bufferedLow and bufferedHigh are between how many records of a partition wait.
	bufferedLow, bufferedHigh = 1000, 4000
	// pollTime is how long to wait for records before looking at all else.
	pollTime = 200 * time.Millisecond
	// askTime is how long a question to the brokers may take.
	askTime = 30 * time.Second
)

// Reader reads the records that a topic had when it was opened, across partitions in the
// order of their times as far as the partitions are in that order.
type Reader struct {
	cfg    Config
	client *kgo.Client
	admin  *kadm.Client
	begins map[int32]int64 // offset of the first wanted record, by partition
	ends   map[int32]int64 // behind the last one

	mu        sync.Mutex
	mine      map[int32]*partition
	out       []*kgo.Record   // returned by the last Next
	submitted map[int32]int64 // offsets behind what was returned before that
	committed map[int32]int64
	read      int64 // records

	closing atomic.Bool
	records []record.Record
	mark    func() bool     // of marked; nil: none is under way
	marked  map[int32]int64 // offsets to commit
	checked time.Time       // when the whole group was last looked at
}

// partition is one that this Reader reads.
type partition struct {
	next     int64 // offset of the next record to return
	buffered []*kgo.Record
	paused   bool
}

// Open asks the brokers what there is, and begins to read.
func Open(cfg Config) (*Reader, error) {
	r := &Reader{cfg: cfg, mine: map[int32]*partition{}, submitted: map[int32]int64{}, committed: map[int32]int64{}}
	client, err := kgo.NewClient(cfg.Options(&cfg.Login)...)
	if err != nil {
		return nil, fmt.Errorf("cannot make a client of Kafka: %w", err)
	}
	r.admin = kadm.NewClient(client)
	if err := r.findRange(); err != nil {
		r.admin.Close()
		return nil, fmt.Errorf("cannot read topic %s: %w", cfg.Topic, err)
	}
	opts := append(cfg.Options(&cfg.Login), kgo.KeepControlRecords(), kgo.FetchMaxPartitionBytes(1<<20), kgo.FetchMaxBytes(8<<20))
	if cfg.Group == "" {
		opts = append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{cfg.Topic: r.takeAll()}))
	} else {
		opts = append(opts, r.groupOptions()...)
	}
	if r.client, err = kgo.NewClient(opts...); err != nil {
		r.admin.Close()
		return nil, fmt.Errorf("cannot make a client of Kafka: %w", err)
	}
	return r, nil
}

// findRange finds out which offsets are wanted.
func (r *Reader) findRange() error {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	list := func(at time.Time, without func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
		var listed kadm.ListedOffsets
		var err error
		if at.IsZero() {
			listed, err = without(ctx, r.cfg.Topic)
		} else {
			listed, err = r.admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), r.cfg.Topic)
		}
		if err == nil {
			err = listed.Error()
		}
		offsets := map[int32]int64{}
		listed.Each(func(o kadm.ListedOffset) { offsets[o.Partition] = o.Offset })
		if err == nil && len(offsets) == 0 {
			err = errors.New("there is no such topic")
		}
		return offsets, err
	}
	var err error
	if r.begins, err = list(r.cfg.From, r.admin.ListStartOffsets); err != nil {
		return err
	}
	to := r.cfg.To
	if !to.IsZero() {
		to = to.Add(time.Millisecond - 1) // what is in its millisecond is looked at
	}
	r.ends, err = list(to, r.admin.ListEndOffsets)
	return err
}

// takeAll takes all partitions that have something, and returns where they begin.
func (r *Reader) takeAll() map[int32]kgo.Offset {
	offsets := map[int32]kgo.Offset{}
	for id, begin := range r.begins {
		if begin < r.ends[id] {
			r.mine[id] = &partition{next: begin}
			offsets[id] = kgo.NewOffset().At(begin)
		}
	}
	return offsets
}

// Next returns the next records, which are the Reader's until the next call, or io.EOF
// behind the last one; of a group that is when all its members are there.
func (r *Reader) Next() ([]record.Record, error) {
	r.wasSubmitted()
	for {
		r.Tend()
		if r.takeOut(); len(r.out) > 0 {
			if records := r.wanted(); len(records) > 0 {
				return records, nil
			}
			r.wasSubmitted()
			continue
		}
		if r.finished() {
			over, err := r.isOver()
			if over {
				return nil, io.EOF
			}
			if err != nil {
				return nil, err
			}
		}
		if err := r.poll(); err != nil {
			return nil, fmt.Errorf("cannot read topic %s: %w", r.cfg.Topic, err)
		}
	}
}

// wanted returns the records of r.out that are in the wanted time.
func (r *Reader) wanted() []record.Record {
	r.records = r.records[:0]
	for _, k := range r.out {
		q := request(k)
		if k.Attrs.IsControl() || q.When().Before(r.cfg.From) || !r.cfg.To.IsZero() && !q.When().Before(r.cfg.To) {
			continue
		}
		r.records = append(r.records, q)
	}
	return r.records
}

// takeOut takes the oldest records out of what is buffered: none unless every partition
// that has yet to come to its end has one.
func (r *Reader) takeOut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.out) < handed {
		var oldest *partition
		for id, p := range r.mine {
			switch {
			case len(p.buffered) > 0:
				if oldest == nil || p.buffered[0].Timestamp.Before(oldest.buffered[0].Timestamp) {
					oldest = p
				}
			case p.next < r.ends[id]:
				return
			}
		}
		if oldest == nil {
			return
		}
		one := oldest.buffered[0]
		oldest.buffered[0] = nil
		oldest.buffered = oldest.buffered[1:]
		oldest.next = one.Offset + 1
		r.out = append(r.out, one)
		r.read++
	}
}

// wasSubmitted says that what the last Next returned is on its way.
func (r *Reader) wasSubmitted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, k := range r.out {
		r.submitted[k.Partition] = k.Offset + 1
		r.out[i] = nil
	}
	r.out = r.out[:0]
}

// finished reports whether nothing is left of the partitions that this Reader has.
func (r *Reader) finished() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.mine {
		if p.next < r.ends[id] {
			return false
		}
	}
	return true
}

// poll takes in what has been fetched, and waits for it a moment if nothing has.
func (r *Reader) poll() error {
	ctx, cancel := context.WithTimeout(context.Background(), pollTime)
	defer cancel()
	fetched := r.client.PollRecords(ctx, bufferedLow)
	var failed error
	fetched.EachError(func(_ string, _ int32, err error) {
		if !errors.Is(err, context.DeadlineExceeded) {
			failed = err
		}
	})
	r.mu.Lock()
	fetched.EachRecord(func(k *kgo.Record) {
		p := r.mine[k.Partition]
		if p != nil && k.Offset >= p.next && k.Offset < r.ends[k.Partition] {
			p.buffered = append(p.buffered, k)
		}
	})
	pause, resume := r.rates()
	r.mu.Unlock()
	r.client.PauseFetchPartitions(map[string][]int32{r.cfg.Topic: pause})
	r.client.ResumeFetchPartitions(map[string][]int32{r.cfg.Topic: resume})
	return failed
}

// rates returns of which partitions enough is buffered, or all, and which need more.
// r.mu is held.
func (r *Reader) rates() (pause, resume []int32) {
	for id, p := range r.mine {
		ended := p.next+int64(len(p.buffered)) >= r.ends[id]
		switch {
		case !p.paused && (len(p.buffered) > bufferedHigh || ended):
			p.paused = true
			pause = append(pause, id)
		case p.paused && len(p.buffered) < bufferedLow && !ended:
			p.paused = false
			resume = append(resume, id)
		}
	}
	return pause, resume
}

// Progress returns how many records were read, and how many there are.
func (r *Reader) Progress() (read, all int64) {
	for id, end := range r.ends {
		all += max(0, end-r.begins[id])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read, all
}

// Close ends the reading: a group's other members go on behind what was committed, see
// Finish.
func (r *Reader) Close() {
	r.closing.Store(true)
	r.client.Close()
	r.admin.Close()
}
