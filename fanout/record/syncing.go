package record

import (
	"errors"
	"os"
	"sync"
	"time"
)

// syncEvery is how often SyncSecond forces what was written to the disk.
const syncEvery = time.Second

// syncing forces files to the disk, on a goroutine of its own: while the disk takes
// its time, the next blocks are written.
type syncing struct {
	ending chan struct{}
	ended  chan struct{}

	mu    sync.Mutex
	dirty *os.File   // is written; nil: nothing was since the last time
	done  []*os.File // have to be closed, too
	err   error
}

func startSyncing() *syncing {
	s := &syncing{ending: make(chan struct{}), ended: make(chan struct{})}
	go s.run()
	return s
}

func (s *syncing) run() {
	defer close(s.ended)
	ticker := time.NewTicker(syncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.sync()
		case <-s.ending:
			s.sync()
			return
		}
	}
}

// wrote says that f has something new.
func (s *syncing) wrote(f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = f
}

// end says that nothing more is written into f, which is closed here.
func (s *syncing) end(f *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = nil
	s.done = append(s.done, f)
}

func (s *syncing) sync() {
	s.mu.Lock()
	dirty, done := s.dirty, s.done
	s.dirty, s.done = nil, nil
	s.mu.Unlock()
	var errs []error
	for _, f := range done {
		errs = append(errs, fdatasync(f), f.Close())
	}
	// It may have ended, but is closed here alone, next time.
	if dirty != nil {
		errs = append(errs, fdatasync(dirty))
	}
	if err := errors.Join(errs...); err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
}

func (s *syncing) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	s.err = nil
	return err
}

func (s *syncing) stop() error {
	close(s.ending)
	<-s.ended
	return s.failed()
}
