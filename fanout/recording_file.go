package fanout

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/record"
)

const (
	// fileBlocks is how many blocks a recording has: one is filled while another is
	// written.
	fileBlocks = 2
	// hurriedWrite is how long a write may take when the drain is over.
	hurriedWrite = time.Second
	// folderWait is how long a recording waits for the folder of one that ends.
	folderWait = 2 * time.Second
)

// fileSink collects requests in blocks. A goroutine of its own writes them: a disk that
// hangs holds up neither the worker nor the end.
type fileSink struct {
	t       *target
	all     [fileBlocks]*fileBlock
	block   *fileBlock // being filled; nil: none
	begun   int64      // when its first request came
	free    chan *fileBlock
	full    chan *fileBlock
	written chan struct{} // closed when the disk has everything

	request record.Record // scratch
	key     [16]byte
	wire    []byte
	mask    *record.Mask // nil: none
}

// fileBlock is a block, and who counts what becomes of its requests.
type fileBlock struct {
	record.Block
	count   int
	held    int64 // bytes that are counted in the memory limit
	counted atomic.Bool
}

// claim reports whether the caller is the one who counts the requests.
func (b *fileBlock) claim() bool { return !b.counted.Swap(true) }

func newFileSink(t *target) *fileSink {
	s := &fileSink{
		t: t, free: make(chan *fileBlock, fileBlocks), full: make(chan *fileBlock, fileBlocks), written: make(chan struct{}),
	}
	s.mask = t.recordingMask()
	for i := range s.all {
		s.all[i] = &fileBlock{}
		s.all[i].counted.Store(true)
		s.free <- s.all[i]
	}
	disk := &disk{t: t}
	go disk.run(s.full, s.free, s.written)
	return s
}

// holds reports whether there are requests that have yet to be written.
func (s *fileSink) holds() bool { return s.block != nil }

// add takes requests, and gives their payloads back: the block has a copy.
func (s *fileSink) add(batch []entry, r *results) {
	wall := time.Now().UnixNano() - s.t.now() // at each time anew, for the clock may be set
	for i := range batch {
		e := &batch[i]
		if s.block == nil {
			s.block = s.nextBlock()
			if s.block == nil {
				r.drop(e, s.t.drainReason)
				continue
			}
			s.begun = e.at
		}
		s.request.Time = wall + e.at
		e.describe(&s.request, s.key[:])
		s.wire = s.t.wireForRecord(&s.request, e.payload, s.mask, s.wire)
		s.block.Add(&s.request)
		r.end(e)
		if s.block.Size() >= record.BlockSize {
			s.flush()
		}
	}
	s.wire = scratchOf(s.wire)
	if s.block != nil {
		s.block.hold(s.t)
	}
}

// scratchOf keeps a buffer for the next use, unless it is unusually large.
func scratchOf(b []byte) []byte {
	if cap(b) > record.BlockSize {
		return nil
	}
	return b[:0]
}

// nextBlock waits for a block that is not being written; nil: there will be none, for
// the drain is over.
func (s *fileSink) nextBlock() *fileBlock {
	select {
	case b := <-s.free:
		b.counted.Store(false)
		return b
	case <-s.t.aborting.Done():
	}
	select {
	case b := <-s.free:
		b.counted.Store(false)
		return b
	case <-time.After(hurriedWrite):
		return nil
	}
}

// hold counts the block's bytes in the memory limit.
func (b *fileBlock) hold(t *target) {
	held := int64(b.Held())
	t.memory.blocks.Add(held - b.held)
	b.held = held
}

// tend writes the block if its first request has waited long enough for others.
func (s *fileSink) tend() {
	if s.block != nil && s.t.now()-s.begun >= recordWithin {
		s.flush()
	}
}

func (s *fileSink) flush() {
	s.block.count = s.block.Count()
	s.block.hold(s.t)
	s.full <- s.block
	s.block = nil
}

// end writes what is left, and waits for that, but no longer than the drain takes: what
// a disk that hangs has by then is counted as dropped.
func (s *fileSink) end() {
	if s.block != nil {
		s.flush()
	}
	close(s.full)
	select {
	case <-s.written:
		return
	case <-s.t.aborting.Done():
	}
	select {
	case <-s.written:
	case <-time.After(hurriedWrite):
		for _, b := range s.all {
			if b.claim() {
				s.t.notRecorded(b.count, s.t.drainReason)
			}
		}
	}
}

// disk writes blocks, and tells how that goes.
type disk struct {
	t       *target
	out     []byte         // scratch
	writer  *record.Writer // nil: the recording could not be opened yet, or again
	failing time.Time      // since when; zero: it does not
}

func (d *disk) run(full <-chan *fileBlock, free chan<- *fileBlock, written chan<- struct{}) {
	defer close(written)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	d.tell(d.open())
	for {
		select {
		case b, ok := <-full:
			if !ok {
				d.close()
				return
			}
			d.write(b)
			free <- b
		case <-second.C:
			d.tend()
		}
	}
}

// write writes a block, and counts what became of its requests.
func (d *disk) write(b *fileBlock) {
	t := d.t
	err := d.open()
	if err == nil {
		d.out = b.AppendTo(d.out[:0], 0)
		err = d.writer.Write(d.out, b.count)
		d.out = scratchOf(d.out)
	}
	d.tell(err)
	if b.claim() {
		t.metrics.batchSize.Update(float64(b.count))
		switch {
		case err == nil:
			t.recorded(b.count)
		case record.IsFull(err):
			t.notRecorded(b.count, dropDisk)
		default:
			t.notRecorded(b.count, dropIO)
		}
	}
	b.Reset()
	b.hold(t)
}

// open opens the recording if it is not open. One that another target of this process
// still writes, which was replaced by a reload, is waited for.
func (d *disk) open() error {
	if d.writer != nil {
		return nil
	}
	r := &d.t.cfg.Recording
	cfg := record.Config{Dir: d.t.cfg.URL.Path, Max: r.Max, Age: r.Age, Sync: r.Sync}
	deadline := time.Now().Add(folderWait)
	for {
		w, cut, err := record.Open(cfg)
		switch {
		case err == nil:
			d.writer = w
			d.t.log.Info("recording", "target", d.t.cfg.Name, "folder", cfg.Dir, "bytes", w.Size())
			if cut > 0 {
				d.t.log.Warn("the recording had a torn end, which is cut off", "target", d.t.cfg.Name, "bytes", cut)
			}
			return nil
		case !errors.Is(err, record.ErrInUse) || time.Now().After(deadline):
			return err
		}
		select {
		case <-time.After(recordGather):
		case <-d.t.aborting.Done():
			return err
		}
	}
}

// tend does what has to be done once a second, also where nothing is recorded.
func (d *disk) tend() {
	if d.writer == nil {
		return
	}
	err := errors.Join(d.writer.Failed(), d.writer.Tend(time.Now()))
	if errors.Is(err, record.ErrGone) {
		d.close()
	}
	if err != nil {
		d.tell(err)
	}
}

func (d *disk) close() {
	if d.writer != nil {
		if err := d.writer.Close(); err != nil {
			d.tell(fmt.Errorf("cannot end recording: %w", err))
		}
		d.writer = nil
	}
}

// tell notes how it went: a failure, the first of several in the log, and their end.
func (d *disk) tell(err error) {
	t := d.t
	switch {
	case err == nil && d.failing.IsZero():
	case err == nil:
		t.log.Info("recording again", "target", t.cfg.Name, "after", time.Since(d.failing).Round(time.Millisecond))
		d.failing = time.Time{}
	default:
		kind := dropIO
		if record.IsFull(err) {
			kind = dropDisk
		}
		t.failures.note(t, kind.String(), err)
		if d.failing.IsZero() {
			d.failing = time.Now()
			t.log.Warn("cannot record: dropping requests until it works again", "target", t.cfg.Name, "error", err)
		}
	}
}
