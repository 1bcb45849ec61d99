package record

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"time"
)

// Record is a request, and what is known of it.
type Record struct {
	Time   int64      // when it arrived, in nanoseconds since 1970
	Key    []byte     // equal for requests that have to stay in order; nil: none
	ID     []byte     // as HAProxy logs it; nil: unknown
	Client netip.Addr // who sent it; the zero value: unknown
	Status int        // of production's response; 0: unknown
	Took   int        // milliseconds that it took; negative: unknown

	// The request in wire format, without the field that marks mirrored requests, in
	// two pieces. Of a Record that was read Tail is empty.
	Wire, Tail []byte
}

// When returns the time of arrival.
func (r *Record) When() time.Time { return time.Unix(0, r.Time) }

// The headers of a record, which hold what Kafka has no place for. Values are text.
const (
	headerMicros = "us" // of the time, below its millisecond
	headerID     = "id"
	headerClient = "client"
	headerStatus = "status"
	headerTook   = "ms"
)

// ErrRecord says that a block with a right checksum holds something else than records.
var ErrRecord = errors.New("malformed record")

// Header is a header of a record in Kafka.
type Header struct {
	Key   string
	Value []byte
}

// AppendHeaders appends what is known of the request besides its key, its time to the
// millisecond and its bytes. The values are appended to scratch, which is returned,
// too, and belong to the caller with it.
func (r *Record) AppendHeaders(dst []Header, scratch []byte) ([]Header, []byte) {
	add := func(key string, from int) {
		dst = append(dst, Header{key, scratch[from:len(scratch):len(scratch)]})
	}
	at := len(scratch)
	scratch = strconv.AppendInt(scratch, r.Time/int64(time.Microsecond)%1000, 10)
	add(headerMicros, at)
	if len(r.ID) > 0 {
		at = len(scratch)
		scratch = append(scratch, r.ID...)
		add(headerID, at)
	}
	if r.Client.IsValid() {
		at = len(scratch)
		scratch = r.Client.AppendTo(scratch)
		add(headerClient, at)
	}
	if r.Status > 0 {
		at = len(scratch)
		scratch = strconv.AppendInt(scratch, int64(r.Status), 10)
		add(headerStatus, at)
		if r.Took >= 0 {
			at = len(scratch)
			scratch = strconv.AppendInt(scratch, int64(r.Took), 10)
			add(headerTook, at)
		}
	}
	return dst, scratch
}

// SetHeader takes a header of a record; those that are unknown, or make no sense, say
// nothing. An ID is borrowed.
func (r *Record) SetHeader(key, value []byte) {
	switch string(key) {
	case headerMicros:
		if n := number(value); 0 < n && n < 1000 {
			r.Time += n * int64(time.Microsecond)
		}
	case headerID:
		r.ID = value
	case headerClient:
		r.Client, _ = netip.ParseAddr(string(value))
	case headerStatus:
		if n := number(value); 100 <= n && n <= 999 {
			r.Status = int(n)
		}
	case headerTook:
		r.Took = int(number(value))
	}
}

// number reads a decimal number of up to nine digits; anything else is -1.
func number(text []byte) int64 {
	if len(text) == 0 || len(text) > 9 {
		return -1
	}
	n := int64(0)
	for _, c := range text {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

// appendRecord appends r as a record of a batch: its length, and the time and the
// offset by how much they are above the batch's.
func appendRecord(dst []byte, r *Record, millis, offset int64, headers []Header) []byte {
	size := 1 + varintLen(millis) + varintLen(offset) + bytesLen(len(r.Key), r.Key == nil) +
		bytesLen(len(r.Wire)+len(r.Tail), false) + varintLen(int64(len(headers)))
	for _, h := range headers {
		size += bytesLen(len(h.Key), false) + bytesLen(len(h.Value), false)
	}
	dst = binary.AppendVarint(dst, int64(size))
	dst = append(dst, 0) // attributes
	dst = binary.AppendVarint(dst, millis)
	dst = binary.AppendVarint(dst, offset)
	if r.Key == nil {
		dst = binary.AppendVarint(dst, -1)
	} else {
		dst = binary.AppendVarint(dst, int64(len(r.Key)))
		dst = append(dst, r.Key...)
	}
	dst = binary.AppendVarint(dst, int64(len(r.Wire)+len(r.Tail)))
	dst = append(dst, r.Wire...)
	dst = append(dst, r.Tail...)
	dst = binary.AppendVarint(dst, int64(len(headers)))
	for _, h := range headers {
		dst = binary.AppendVarint(dst, int64(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = binary.AppendVarint(dst, int64(len(h.Value)))
		dst = append(dst, h.Value...)
	}
	return dst
}

// varintLen is how many bytes binary.AppendVarint appends.
func varintLen(x int64) int {
	n := 1
	for u := uint64(x)<<1 ^ uint64(x>>63); u >= 0x80; u >>= 7 {
		n++
	}
	return n
}

// bytesLen is how many bytes a text of that length takes, with its length.
func bytesLen(n int, null bool) int {
	if null {
		return 1
	}
	return varintLen(int64(n)) + n
}

// parseRecord reads the record that b begins with, of a batch with that time, and
// returns the bytes read. r borrows from b.
func parseRecord(r *Record, b []byte, baseMillis int64) (n int, err error) {
	d := decoder{b: b}
	size := d.varint()
	if d.failed || size < 0 || size > int64(len(d.b)) {
		return 0, ErrRecord
	}
	n = len(b) - len(d.b) + int(size)
	d.b = d.b[:size]
	d.take(1)
	*r = Record{Time: (baseMillis + d.varint()) * int64(time.Millisecond), Took: -1}
	d.varint() // the offset
	r.Key = d.bytes()
	r.Wire = d.bytes()
	for range d.count() {
		key := d.bytes()
		r.SetHeader(key, d.bytes())
	}
	if d.failed || len(d.b) > 0 {
		return 0, ErrRecord
	}
	return n, nil
}

// decoder reads the parts of a record. Once it failed everything is empty.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) take(n int64) []byte {
	if d.failed || n < 0 || n > int64(len(d.b)) {
		d.failed = true
		return nil
	}
	taken := d.b[:n:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if d.failed || n <= 0 {
		d.failed = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes reads a text with its length; -1 stands for none.
func (d *decoder) bytes() []byte {
	n := d.varint()
	if n == -1 {
		return nil
	}
	return d.take(n)
}

// count reads how many headers follow, each of two bytes at least.
func (d *decoder) count() int64 {
	n := d.varint()
	if n < 0 || n > int64(len(d.b)/2) {
		d.failed = true
		return 0
	}
	return n
}
