package replay

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// Source is where records come from. *record.Reader is one.
type Source interface {
	// Next returns the next records, which are the Source's until the next call, or
	// io.EOF.
	Next() ([]record.Record, error)
}

// Sink is where requests go. *fanout.Fanout is one.
type Sink interface {
	Submit([]codec.Request)
	// Fits reports whether so many requests of so many bytes can be submitted without a
	// drop for want of room.
	Fits(requests int, bytes int64) bool
}

const (
	// MaxBatch and batchBytes bound what is submitted at once.
	MaxBatch   = 256
	batchBytes = 128 << 10
	// roomPause is how long a full queue is left alone.
	roomPause = 500 * time.Microsecond
)

// Player plays a recording.
type Player struct {
	Sink     Sink
	Speed    float64   // 0: as fast as the Sink takes it
	Start    time.Time // when Origin is played; zero: the first record, now
	Origin   time.Time // a time in the recording; zero: that of the first record
	Batch    int       // requests that are submitted at once, at most MaxBatch
	Progress func()    // is called now and then
	Lateness Lateness  // of what was submitted
	Played   int64     // requests
	pace     *pace     // nil: nothing was played yet
	batch    []codec.Request
	fields   []byte // of the batch
}

// Play submits what the source has, until its end, an error of it, or ctx ends. It may be
// called again for another pass, which begins now.
func (p *Player) Play(ctx context.Context, from Source) error {
	p.pace = nil
	if p.Lateness.by == nil {
		p.Lateness = newLateness()
	}
	for {
		records, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for len(records) > 0 {
			n, err := p.some(ctx, records)
			if err != nil {
				return err
			}
			records = records[n:]
			p.Progress()
		}
	}
}

// some submits the first of the records when it is time, with those that are due then,
// and returns how many.
func (p *Player) some(ctx context.Context, records []record.Record) (n int, err error) {
	now, due := time.Now(), time.Time{}
	if p.Speed > 0 {
		if p.pace == nil {
			p.begin(records[0].Time, now)
		}
		due = p.pace.due(records[0].Time)
		if err := p.sleep(ctx, due.Sub(now)); err != nil {
			return 0, err
		}
		now = time.Now()
	}
	size := 0
	p.batch, p.fields = p.batch[:0], p.fields[:0]
	for ; n < len(records) && n < p.Batch && (n == 0 || size+len(records[n].Wire) <= batchBytes); n++ {
		if n > 0 && p.Speed > 0 {
			if due = p.pace.due(records[n].Time); due.After(now) {
				break
			}
		}
		if p.Speed > 0 {
			p.Lateness.add(now.Sub(due), 1)
		}
		size += len(records[n].Wire)
		var r codec.Request
		r, p.fields = request(&records[n], p.fields)
		p.batch = append(p.batch, r)
	}
	if p.Speed == 0 {
		if err := p.awaitRoom(ctx, n, int64(size)); err != nil {
			return 0, err
		}
	}
	p.Sink.Submit(p.batch)
	clear(p.batch)
	p.Played += int64(n)
	return n, nil
}

func (p *Player) begin(first int64, now time.Time) {
	pace := newPace(p.Speed, now, first)
	if !p.Start.IsZero() {
		if !p.Origin.IsZero() {
			first = p.Origin.UnixNano()
		}
		pace = newPace(p.Speed, p.Start, first)
	}
	p.pace = &pace
}

// progressEvery is how often Progress is called while nothing is due.
const progressEvery = 500 * time.Millisecond

// sleep waits so long.
func (p *Player) sleep(ctx context.Context, d time.Duration) error {
	for ; d > progressEvery; d -= progressEvery {
		if err := wait(ctx, progressEvery); err != nil {
			return err
		}
		p.Progress()
	}
	return wait(ctx, d)
}

// awaitRoom waits until the requests fit. Those that never will are left to be dropped
// by name.
func (p *Player) awaitRoom(ctx context.Context, n int, size int64) error {
	for !p.Sink.Fits(n, size) {
		if err := wait(ctx, roomPause); err != nil {
			return err
		}
	}
	return nil
}

var errStopped = errors.New("stopped before the end of the recording")

func wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return errStopped
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errStopped
	}
}
