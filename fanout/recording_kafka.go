package fanout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mirrorgate/mirrorgate/fanout/record"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

const (
	// kafkaRequests and kafkaBytes bound what the client of Kafka holds: what waits for
	// its batch, and what brokers have yet to acknowledge.
	kafkaRequests = 16384
	kafkaBytes    = 16 << 20
	// kafkaLinger is how long a batch waits for more.
	kafkaLinger = 20 * time.Millisecond
	// kafkaSilence is how long brokers may acknowledge nothing before that is told.
	kafkaSilence = 2 * time.Second
)

// kafkaSink hands requests to a client of Kafka, which sends them in batches, as often
// as it takes, and says of each what became of it.
type kafkaSink struct {
	t       *target
	topic   string
	client  *kgo.Client
	giveUp  context.CancelFunc // of what the client has not sent yet
	sending context.Context
	closing atomic.Bool // what is not acknowledged by now may be there or not
	records sync.Pool   // of *kafka.Record

	requests, bytes atomic.Int64 // that the client holds
	acknowledged    atomic.Int64 // when the last of them was, or the first was sent
	failing         atomic.Int64 // since when; 0: it does not

	request record.Record // scratch, of the worker
	key     [16]byte
	wire    []byte
	mask    *record.Mask // nil: none
}

func newKafkaSink(t *target) *kafkaSink {
	address, err := kafka.ParseURL(t.cfg.URL)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	s := &kafkaSink{t: t, topic: address.Topic, mask: t.recordingMask()}
	s.records.New = func() any { return new(kafka.Record) }
	s.sending, s.giveUp = context.WithCancel(context.Background())
	s.client, err = kgo.NewClient(append(address.Options(&t.options.Kafka),
		kgo.DefaultProduceTopic(address.Topic),
		kgo.AllowAutoTopicCreation(),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.ProducerLinger(kafkaLinger),
		kgo.MaxBufferedRecords(2*kafkaRequests), // the sink waits before the client would
		kgo.RecordDeliveryTimeout(t.cfg.MaxAge),
		kgo.DialTimeout(t.cfg.Timeout),
		kgo.WithHooks(kafkaHook{s}),
	)...)
	if err != nil {
		panic("BUG: cannot make a client of Kafka: " + err.Error())
	}
	t.log.Info("recording", "target", t.cfg.Name, "topic", s.topic, "brokers", t.cfg.URL.Host)
	return s
}

// kafkaHook hears of connections that fail.
type kafkaHook struct{ *kafkaSink }

// OnBrokerConnect is called by the client for each attempt.
func (h kafkaHook) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err != nil && h.t.aborting.Err() == nil {
		h.tell(fmt.Errorf("cannot connect to broker %s:%d: %w", broker.Host, broker.Port, err))
	}
}

func (s *kafkaSink) holds() bool { return false }

// tend tells if brokers are silent.
func (s *kafkaSink) tend() {
	if since := s.t.now() - s.acknowledged.Load(); s.requests.Load() > 0 && since > int64(kafkaSilence) {
		s.tell(fmt.Errorf("no broker of %s has acknowledged anything for %v", s.t.cfg.URL.Host, time.Duration(since).Round(time.Second)))
	}
}

// add hands requests to the client, once it has room, and gives their payloads back.
func (s *kafkaSink) add(batch []entry, r *results) {
	wall := time.Now().UnixNano() - s.t.now()
	for i := range batch {
		e := &batch[i]
		if !s.awaitRoom() {
			r.drop(e, s.t.drainReason)
			continue
		}
		s.request.Time = wall + e.at
		e.describe(&s.request, s.key[:])
		s.wire = s.t.wireForRecord(&s.request, e.payload, s.mask, s.wire)
		rec := s.records.Get().(*kafka.Record)
		rec.Set(&s.request)
		r.end(e)
		s.produce(rec)
	}
	s.wire = scratchOf(s.wire)
}

// awaitRoom waits until the client has room, and reports false if the drain is over.
func (s *kafkaSink) awaitRoom() bool {
	for s.requests.Load() >= kafkaRequests || s.bytes.Load() >= kafkaBytes {
		s.tend()
		select {
		case <-time.After(recordGather):
		case <-s.t.aborting.Done():
			return false
		}
	}
	return true
}

func (s *kafkaSink) produce(rec *kafka.Record) {
	size := rec.Size()
	if s.requests.Add(1) == 1 {
		s.acknowledged.Store(s.t.now())
	}
	s.bytes.Add(size)
	s.t.memory.blocks.Add(size)
	s.client.Produce(s.sending, &rec.Record, func(_ *kgo.Record, err error) {
		s.requests.Add(-1)
		s.bytes.Add(-size)
		s.t.memory.blocks.Add(-size)
		s.count(err)
		if size < record.BlockSize {
			s.records.Put(rec)
		}
	})
}

// count counts what became of a request.
func (s *kafkaSink) count(err error) {
	t := s.t
	if err == nil {
		s.acknowledged.Store(t.now())
		t.recorded(1)
		if since := s.failing.Swap(0); since != 0 {
			t.log.Info("recording again", "target", t.cfg.Name, "after", time.Duration(t.now()-since).Round(time.Millisecond))
		}
		return
	}
	switch {
	case outcomeUnknown(err) || s.closing.Load():
		t.metrics.errors[errorTimeout].Inc()
		t.metrics.sent.Inc()
	case errors.Is(err, context.Canceled):
		t.notRecorded(1, t.drainReason)
		return
	default:
		t.notRecorded(1, dropBroker)
	}
	s.tell(err)
}

// outcomeUnknown reports whether the brokers may have what they did not acknowledge.
func outcomeUnknown(err error) bool {
	return errors.Is(err, kerr.RequestTimedOut) || errors.Is(err, kerr.NotEnoughReplicasAfterAppend)
}

// tell notes a failure, and logs the first of several.
func (s *kafkaSink) tell(err error) {
	s.t.failures.note(s.t, dropBroker.String(), err)
	if s.failing.CompareAndSwap(0, s.t.now()) {
		s.t.log.Warn("cannot record: requests will be dropped until it works again", "target", s.t.cfg.Name, "topic", s.topic, "error", err)
	}
}

// end waits until the brokers have acknowledged everything, but no longer than the drain
// takes. Then what the client has not sent is dropped; of what it has sent nobody knows.
func (s *kafkaSink) end() {
	flushed := s.client.Flush(s.t.aborting) == nil
	if !flushed {
		s.giveUp()
		ctx, cancel := context.WithTimeout(context.Background(), hurriedWrite)
		s.client.Flush(ctx)
		cancel()
		s.closing.Store(true)
	}
	s.client.Close()
	s.giveUp()
}
