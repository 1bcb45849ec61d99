package record

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/klauspost/compress/s2"
)

// The head of a record batch: what stands where. All numbers are big-endian.
const (
	atOffset     = 0  // int64, of the first record
	atLength     = 8  // int32, of what follows
	atEpoch      = 12 // int32, of the partition's leader
	atMagic      = 16 // int8
	atCRC        = 17 // uint32, CRC-32C of what follows
	atAttributes = 21 // int16; the lowest three bits name the compression
	atLastDelta  = 23 // int32, offset of the last record less that of the first
	atBaseTime   = 27 // int64, milliseconds since 1970
	atMaxTime    = 35 // int64, likewise
	atProducer   = 43 // int64 and int16
	atSequence   = 53 // int32
	atCount      = 57 // int32, of records
	headSize     = 61

	magic             = 2
	compressionMask   = 7
	compressionNone   = 0
	compressionSnappy = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Block collects records that will be written at once. The zero value is empty. It
// belongs to one goroutine.
type Block struct {
	records          []byte
	count            int
	baseTime, newest int64 // milliseconds since 1970

	headers []Header // scratch
	values  []byte
}

// Add appends a record, which it copies.
func (b *Block) Add(r *Record) {
	millis := r.Time / int64(time.Millisecond)
	if b.count == 0 {
		b.baseTime, b.newest = millis, millis
	}
	b.newest = max(b.newest, millis)
	b.headers, b.values = r.AppendHeaders(b.headers[:0], b.values[:0])
	b.records = appendRecord(b.records, r, millis-b.baseTime, int64(b.count), b.headers)
	b.count++
}

// Count returns how many records there are.
func (b *Block) Count() int { return b.count }

// Size returns the bytes of the records, before they are compressed.
func (b *Block) Size() int { return len(b.records) }

// Held returns the bytes that the block occupies.
func (b *Block) Held() int { return cap(b.records) }

// Reset makes the block empty. A buffer that an unusually large request has left is
// given back.
func (b *Block) Reset() {
	if cap(b.records) > 4*BlockSize {
		b.records = nil
	}
	*b = Block{records: b.records[:0], headers: b.headers[:0], values: b.values[:0]}
}

// BlockSize is the bytes of records at which a block should be written.
const BlockSize = 256 << 10

// AppendTo appends the block as a record batch whose first record has that offset. It
// must not be empty.
func (b *Block) AppendTo(dst []byte, offset int64) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, headSize)...)
	compression := compressionSnappy
	if n := s2.MaxEncodedLen(len(b.records)); n > 0 {
		if free := cap(dst) - len(dst); free < n {
			dst = append(make([]byte, 0, len(dst)+n), dst...)
		}
		dst = dst[:len(dst)+len(s2.EncodeSnappy(dst[len(dst):len(dst)+n], b.records))]
	} else { // too long for snappy
		compression = compressionNone
		dst = append(dst, b.records...)
	}
	head := dst[start:]
	binary.BigEndian.PutUint64(head[atOffset:], uint64(offset))
	binary.BigEndian.PutUint32(head[atLength:], uint32(len(head)-atEpoch))
	head[atMagic] = magic
	binary.BigEndian.PutUint16(head[atAttributes:], uint16(compression))
	binary.BigEndian.PutUint32(head[atLastDelta:], uint32(b.count-1))
	binary.BigEndian.PutUint64(head[atBaseTime:], uint64(b.baseTime))
	binary.BigEndian.PutUint64(head[atMaxTime:], uint64(b.newest))
	binary.BigEndian.PutUint64(head[atProducer:], math.MaxUint64)
	binary.BigEndian.PutUint16(head[atProducer+8:], math.MaxUint16)
	binary.BigEndian.PutUint32(head[atSequence:], math.MaxUint32)
	binary.BigEndian.PutUint32(head[atCount:], uint32(b.count))
	binary.BigEndian.PutUint32(head[atCRC:], crc32.Checksum(head[atAttributes:], castagnoli))
	return dst
}
