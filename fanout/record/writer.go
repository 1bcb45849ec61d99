package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Sync says when what was written is forced to the disk.
type Sync uint8

// When that is: a crash of the process alone never loses what was written.
const (
	SyncSecond Sync = iota // each second, beside the writing
	SyncNone               // when the kernel likes
	SyncBlock              // before Write returns
)

var syncNames = []string{"1s", "none", "block"}

// String returns the name that the options use.
func (s Sync) String() string { return syncNames[s] }

// ParseSync reads a Sync by its name; an empty text means each second.
func ParseSync(text string) (Sync, error) {
	i := max(0, slices.Index(syncNames, text))
	if text != "" && syncNames[i] != text {
		return 0, fmt.Errorf("sync is %q, should be one of %s", text, strings.Join(syncNames, ", "))
	}
	return Sync(i), nil
}

// Config says where a Writer writes, and how much.
type Config struct {
	Dir     string        // is made if it is missing
	Max     int64         // bytes of all segments together at most
	Age     time.Duration // older segments go; 0: they stay
	Sync    Sync
	Segment int64 // bytes at which a segment ends; 0: 256 MiB, and at most an eighth of Max
}

// MinMax is the least that Config.Max may be.
const MinMax = 16 << 20

const (
	defaultSegment = 256 << 20
	ringParts      = 8 // of Max, or of Age: what goes at once
)

func (c *Config) segmentSize() int64 {
	if c.Segment > 0 {
		return c.Segment
	}
	return min(defaultSegment, c.Max/ringParts)
}

// Writer appends blocks to a recording. It has the folder to itself.
type Writer struct {
	cfg  Config
	lock *os.File
	size atomic.Int64 // bytes of all segments

	old     []segment // the oldest first
	file    *os.File  // nil: the next block begins a segment
	current segment
	begun   time.Time // when it was
	next    int64     // offset of the next record

	syncing *syncing // nil unless SyncSecond
}

// Open makes the folder if need be, locks it and cuts off what a crash left behind
// the last whole block; cut is how many bytes that were. It begins a new segment with
// the first block. The error is ErrInUse if somebody else writes there.
func Open(cfg Config) (w *Writer, cut int64, err error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, 0, fmt.Errorf("cannot make folder: %w", err)
	}
	lock, err := lockFolder(cfg.Dir)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot lock folder: %w", err)
	}
	w = &Writer{cfg: cfg, lock: lock}
	if cut, err = w.recover(); err != nil {
		lock.Close()
		return nil, 0, fmt.Errorf("cannot continue recording: %w", err)
	}
	if cfg.Sync == SyncSecond {
		w.syncing = startSyncing()
	}
	return w, cut, nil
}

// recover finds out what there is, and cuts the last segment behind its last block.
func (w *Writer) recover() (cut int64, err error) {
	if w.old, err = listSegments(w.cfg.Dir); err != nil {
		return 0, err
	}
	for _, s := range w.old {
		w.size.Add(s.size)
	}
	if len(w.old) == 0 {
		return 0, nil
	}
	last := &w.old[len(w.old)-1]
	f, err := os.OpenFile(w.path(*last), os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	end, next, err := lastBlock(f, *last)
	if err != nil {
		return 0, err
	}
	w.next = next
	if cut = last.size - end; cut > 0 {
		if err := f.Truncate(end); err != nil {
			return 0, err
		}
		w.size.Add(-cut)
		last.size = end
	}
	if last.size == 0 {
		os.Remove(f.Name())
		w.old = w.old[:len(w.old)-1]
	}
	return cut, nil
}

func (w *Writer) path(s segment) string { return filepath.Join(w.cfg.Dir, s.name()) }

// Size returns the bytes of the recording. Any goroutine may ask.
func (w *Writer) Size() int64 { return w.size.Load() }

// Write appends a block of so many records, which Block.AppendTo made, and gives it
// its offset. On an error nothing of it is left in the recording, and the next one
// may be tried.
func (w *Writer) Write(block []byte, count int) error {
	if int64(len(block)) > w.cfg.Max {
		return fmt.Errorf("cannot write block of %d bytes: %w", len(block), unix.EFBIG)
	}
	offset := w.next
	w.next += int64(count) // also if it fails: a gap harms nobody
	if w.file != nil && w.current.size > 0 && w.current.size+int64(len(block)) > w.cfg.segmentSize() {
		w.roll()
	}
	if err := w.makeRoom(int64(len(block))); err != nil {
		return err
	}
	if w.file == nil {
		if err := w.begin(offset); err != nil {
			return err
		}
	}
	binary.BigEndian.PutUint64(block[atOffset:], uint64(offset))
	_, err := w.file.Write(block)
	if err == nil && w.cfg.Sync == SyncBlock {
		err = fdatasync(w.file)
	}
	if err != nil {
		w.takeBack()
		return err
	}
	w.current.size += int64(len(block))
	w.size.Add(int64(len(block)))
	if w.syncing != nil {
		w.syncing.wrote(w.file)
	}
	return nil
}

// begin makes the segment whose first record has that offset.
func (w *Writer) begin(offset int64) error {
	s := segment{base: offset}
	f, err := os.OpenFile(w.path(s), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if w.cfg.Sync == SyncBlock {
		if err := syncFolder(w.cfg.Dir); err != nil {
			f.Close()
			os.Remove(f.Name())
			return err
		}
	}
	w.file, w.current, w.begun = f, s, time.Now()
	return nil
}

// takeBack cuts off what a failed write left. If that cannot be, the next block begins
// a segment of its own, and readers see where this one is torn.
func (w *Writer) takeBack() {
	if w.file.Truncate(w.current.size) != nil {
		w.roll()
	}
}

// roll ends the segment.
func (w *Writer) roll() {
	if w.syncing != nil {
		w.syncing.end(w.file)
	} else {
		w.file.Close()
	}
	if w.current.size > 0 {
		w.old = append(w.old, w.current)
	} else {
		os.Remove(w.path(w.current))
	}
	w.file = nil
}

// Failed returns the last error of what is done beside the writing, once.
func (w *Writer) Failed() error {
	if w.syncing == nil {
		return nil
	}
	return w.syncing.failed()
}

// Close ends the recording, and the Writer.
func (w *Writer) Close() error {
	if w.file != nil {
		w.roll()
	}
	var err error
	if w.syncing != nil {
		err = w.syncing.stop()
	}
	return errors.Join(err, w.lock.Close())
}

// IsFull reports whether an error says that there is no room on the disk, or for this
// user.
func IsFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

func fdatasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			if err != nil {
				err = &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
			}
			return err
		}
	}
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
