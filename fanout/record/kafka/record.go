package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// Record is a request on its way into a topic, with the memory that it takes.
type Record struct {
	kgo.Record
	headers []record.Header
	values  []byte
	value   []byte
	key     []byte
}

// Set makes r that of a request, which is copied.
func (r *Record) Set(q *record.Record) {
	r.value = append(append(r.value[:0], q.Wire...), q.Tail...)
	r.headers, r.values = q.AppendHeaders(r.headers[:0], r.values[:0])
	r.Record = kgo.Record{Value: r.value, Timestamp: time.UnixMilli(q.Time / int64(time.Millisecond)), Headers: r.Headers[:0]}
	if q.Key != nil {
		r.key = append(r.key[:0], q.Key...)
		r.Key = r.key
	}
	for _, h := range r.headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
}

// Size returns the bytes that it occupies.
func (r *Record) Size() int64 { return int64(cap(r.value)+cap(r.values)+cap(r.key)) + recordBytes }

// recordBytes is what a Record takes besides its bytes, here and in the client.
const recordBytes = 512

// request returns a record of a topic as a request, which borrows from it.
func request(r *kgo.Record) record.Record {
	q := record.Record{Time: r.Timestamp.UnixMilli() * int64(time.Millisecond), Key: r.Key, Took: -1, Wire: r.Value}
	for _, h := range r.Headers {
		q.SetHeader([]byte(h.Key), h.Value)
	}
	return q
}
