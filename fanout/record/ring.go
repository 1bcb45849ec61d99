package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// makeRoom removes the oldest segments until so many bytes more are within the limit.
func (w *Writer) makeRoom(n int64) error {
	for w.size.Load()+n > w.cfg.Max {
		if len(w.old) == 0 {
			if w.file == nil {
				return fmt.Errorf("BUG: a recording without segments has %d bytes", w.size.Load())
			}
			w.roll()
			continue
		}
		if err := w.removeOldest(); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) removeOldest() error {
	oldest := w.old[0]
	if err := os.Remove(w.path(oldest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the oldest segment: %w", err)
	}
	w.old = w.old[1:]
	w.size.Add(-oldest.size)
	return nil
}

// ErrGone says that the recording's folder was removed, or its files.
var ErrGone = errors.New("the recording was removed while it was written")

// Tend removes what is too old, and looks whether the recording is still there. It
// should be called about once a second. After ErrGone the Writer has to be closed.
func (w *Writer) Tend(now time.Time) error {
	if err := w.stillThere(); err != nil {
		return err
	}
	if w.cfg.Age == 0 {
		return nil
	}
	if w.file != nil && now.Sub(w.begun) > w.cfg.Age/ringParts {
		w.roll()
	}
	for len(w.old) > 0 {
		info, err := os.Stat(w.path(w.old[0]))
		if err == nil && now.Sub(info.ModTime()) <= w.cfg.Age {
			return nil
		}
		if err := w.removeOldest(); err != nil {
			return err
		}
	}
	return nil
}

// stillThere finds out whether the file that is written, or the lock, has a name yet.
func (w *Writer) stillThere() error {
	f := w.file
	if f == nil {
		f = w.lock
	}
	named, err := os.Stat(f.Name())
	if err == nil {
		var open fs.FileInfo
		if open, err = f.Stat(); err == nil && os.SameFile(named, open) {
			return nil
		}
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return ErrGone
	}
	return err
}
