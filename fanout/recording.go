package fanout

import (
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// A target may be a recording: what would be sent is kept. It has a queue, and drops
// like any other; it has no connections, and one worker, which takes what has gathered
// and brings it to the recording. A request counts as sent when it is there.

// sink is where the requests of a recording go: a file, or a topic of Kafka. It belongs
// to the worker.
type sink interface {
	// add takes requests, and gives their payloads back. What becomes of them is counted
	// when it is known.
	add(batch []entry, r *results)
	// holds reports whether requests wait for others, and tend looks whether they have
	// done so for long enough.
	holds() bool
	tend()
	// end returns when all is counted.
	end()
}

func newSink(t *target) sink {
	if t.cfg.URL.Scheme == kafka.Scheme {
		return newKafkaSink(t)
	}
	return newFileSink(t)
}

const (
	// recordGather is how long the worker lets requests gather: to be woken for each
	// costs several times as much as to record it.
	recordGather = 5 * time.Millisecond
	// recordSmallQueue is the size of queues for which that is too long.
	recordSmallQueue = 2048
	// recordWithin is how long a request may wait for others in a block that is not full,
	// in nanoseconds.
	recordWithin = int64(100 * time.Millisecond)
)

// record is the life of the worker of a recording.
func (w *worker) record() {
	t := w.t
	out := newSink(t)
	batch := make([]entry, 0, blockSize)
	for {
		if batch = w.takeForRecord(batch[:0], out.holds()); batch == nil {
			break
		}
		out.add(batch, &w.results)
		clear(batch)
		t.settle(&w.results)
		if len(batch) < blockSize {
			out.tend()
			w.letGather()
		}
	}
	out.end()
	workers := &t.workers
	w.t = nil
	workers.Put(w)
}

// takeForRecord takes a block of requests out of the queue, as far as there are so
// many. If there are none it waits for some, unless the worker holds others that want
// to be written. It returns nil when the target has ended.
func (w *worker) takeForRecord(batch []entry, holds bool) []entry {
	t := w.t
	t.processors.acquire()
	defer t.processors.release()
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		w.join()
		now := t.now()
		if w.stale = t.takeStale(now, w.stale[:0]); len(w.stale) > 0 {
			t.mu.Unlock()
			for i := range w.stale {
				w.results.drop(&w.stale[i], dropStale)
			}
			t.settle(&w.results)
			t.mu.Lock()
			continue
		}
		for len(batch) < blockSize && t.queue.n > 0 {
			batch = append(batch, t.queue.popFront())
		}
		switch {
		case len(batch) > 0:
			t.length.Store(int64(t.queue.n))
			t.taken = now
			t.served += uint64(len(batch))
			return batch
		case t.draining:
			w.sleep(now)
			return nil
		case holds:
			return batch
		}
		w.sleep(now)
	}
}

// letGather waits until there is more to record.
func (w *worker) letGather() {
	if w.t.cfg.Queue < recordSmallQueue {
		time.Sleep(recordGather / 5)
		return
	}
	time.Sleep(recordGather)
}

// recorded counts requests that the recording has.
func (t *target) recorded(n int) {
	t.metrics.responses[classRecorded].Add(n)
	t.metrics.sent.Add(n)
}

// notRecorded counts requests that the recording does not get.
func (t *target) notRecorded(n int, reason dropReason) { t.metrics.dropped[reason].Add(n) }
