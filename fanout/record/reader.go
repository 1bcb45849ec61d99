package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Reader reads the records of a recording that there were when it was opened, in the
// order in which they were written.
type Reader struct {
	dir      string
	from, to int64 // nanoseconds since 1970
	segments []segment
	written  bool // somebody was writing

	at      int // of segments
	file    *os.File
	blocks  blocks
	records []Record
	buf     []byte // that they borrow from

	read int64 // bytes
	gone int
	torn []Tear
}

// Tear is a place at which a recording is not whole.
type Tear struct {
	File string
	At   int64 // byte of the file
	Lost int64 // bytes; what they held is not known
}

// disorder is how much later than others a record may have been written that arrived
// before them, in milliseconds.
const disorder = 1000

// NewReader opens a recording for what arrived at from or later, and before to; the
// zero time sets no limit.
func NewReader(dir string, from, to time.Time) (*Reader, error) {
	r := &Reader{dir: dir, from: math.MinInt64, to: math.MaxInt64}
	if !from.IsZero() {
		r.from = from.UnixNano()
	}
	if !to.IsZero() {
		r.to = to.UnixNano()
	}
	r.written = isWritten(dir)
	var err error
	if r.segments, err = listSegments(dir); err != nil {
		return nil, fmt.Errorf("cannot read recording: %w", err)
	}
	if len(r.segments) == 0 {
		if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
			return nil, fmt.Errorf("cannot read recording: there is none in %s", dir)
		}
	}
	return r, nil
}

// Next returns the next records, which are the Reader's until the next call, or io.EOF.
// Where the recording is torn it goes on behind that place; see Torn.
func (r *Reader) Next() ([]Record, error) {
	for {
		if r.file == nil {
			if r.at == len(r.segments) {
				return nil, io.EOF
			}
			if err := r.open(); err != nil {
				return nil, fmt.Errorf("cannot read recording: %w", err)
			}
			continue
		}
		records, err := r.nextBlock()
		if err != nil {
			return nil, fmt.Errorf("cannot read recording: %s: %w", r.file.Name(), err)
		}
		if len(records) > 0 {
			return records, nil
		}
	}
}

// open opens the next segment, or skips it: one that is gone, and one that was over
// before the wanted time.
func (r *Reader) open() error {
	s := r.segments[r.at]
	if r.overBefore(r.at + 1) {
		r.skipSegment()
		return nil
	}
	f, err := os.Open(filepath.Join(r.dir, s.name()))
	if errors.Is(err, fs.ErrNotExist) {
		r.gone++
		r.skipSegment()
		return nil
	} else if err != nil {
		return err
	}
	r.file = f
	r.blocks = blocks{file: f, end: s.size, buf: r.blocks.buf}
	return nil
}

// overBefore reports whether the segment began so early that those before it hold
// nothing that is wanted.
func (r *Reader) overBefore(next int) bool {
	if r.from == math.MinInt64 || next >= len(r.segments) {
		return false
	}
	f, err := os.Open(filepath.Join(r.dir, r.segments[next].name()))
	if err != nil {
		return false
	}
	defer f.Close()
	b := blocks{file: f, end: r.segments[next].size}
	h, err := b.head()
	return err == nil && h.Begin < r.from/int64(time.Millisecond)-disorder
}

func (r *Reader) skipSegment() {
	r.read += r.segments[r.at].size
	r.at++
}

// nextBlock returns the wanted records of the next block; none at the end of the
// segment, which it closes, and where nothing is wanted or whole.
func (r *Reader) nextBlock() ([]Record, error) {
	start := r.blocks.at
	defer func() { r.read += r.blocks.at - start }()
	h, err := r.blocks.head()
	if err == nil && !r.mayHold(&h) {
		r.blocks.skip(&h)
		return nil, nil
	}
	var raw []byte
	if err == nil {
		raw, err = r.blocks.read(&h)
	}
	switch {
	case errors.Is(err, errCorrupt) && raw != nil:
		r.torn = append(r.torn, Tear{r.segments[r.at].name(), start, int64(h.Size)})
		return nil, nil
	case errors.Is(err, io.EOF):
		r.endSegment()
		return nil, nil
	case errors.Is(err, errShort) || errors.Is(err, errCorrupt):
		if !(r.written && r.at == len(r.segments)-1) { // else it is being written
			r.torn = append(r.torn, Tear{r.segments[r.at].name(), start, r.blocks.end - start})
		}
		r.blocks.at = r.blocks.end
		r.endSegment()
		return nil, nil
	case err != nil:
		return nil, err
	}
	r.records, r.buf, err = h.parseRecords(r.records[:0], r.buf, raw)
	if err != nil {
		return nil, err
	}
	return r.wanted(), nil
}

func (r *Reader) endSegment() {
	r.file.Close()
	r.file = nil
	r.at++
}

// mayHold reports whether a block may hold wanted records.
func (r *Reader) mayHold(h *Head) bool {
	const ms = int64(time.Millisecond)
	return h.End >= r.from/ms && (r.to == math.MaxInt64 || h.Begin-disorder <= r.to/ms)
}

// wanted returns those of r.records that are in the wanted time.
func (r *Reader) wanted() []Record {
	kept := r.records[:0]
	for _, rec := range r.records {
		if r.from <= rec.Time && rec.Time < r.to {
			kept = append(kept, rec)
		}
	}
	return kept
}

// Rewind goes back to the first record.
func (r *Reader) Rewind() {
	r.Close()
	r.at, r.read, r.gone, r.torn = 0, 0, 0, nil
}

// Progress returns how many bytes of the recording were read or skipped, and how many
// there are.
func (r *Reader) Progress() (read, all int64) {
	for _, s := range r.segments {
		all += s.size
	}
	return r.read, all
}

// Segments returns how many files there are.
func (r *Reader) Segments() int { return len(r.segments) }

// Torn returns where the recording, as far as it was read, is not whole.
func (r *Reader) Torn() []Tear { return r.torn }

// Gone returns how many segments were removed before they were read, as the ring does.
func (r *Reader) Gone() int { return r.gone }

// Written reports whether somebody was writing when the Reader was made.
func (r *Reader) Written() bool { return r.written }

// Close closes the files.
func (r *Reader) Close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}
