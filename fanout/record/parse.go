package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// Head is what stands in front of the records of a block.
type Head struct {
	Offset     int64 // of the first record
	Count      int   // of records
	Begin, End int64 // the times of the first and of the newest, in milliseconds since 1970
	Size       int   // bytes of the whole block

	crc         uint32
	compression int
}

// The errors of parsing a block.
var (
	errShort   = errors.New("block is not complete")
	errCorrupt = errors.New("block is corrupt")
)

const (
	maxBlock   = 1 << 30  // bytes of a block, compressed or not
	maxRecords = 16 << 20 // in a block
	minRecord  = 7        // bytes, with its length
)

// parseHead reads the head that b begins with. Nothing says yet that the block is
// whole.
func parseHead(b []byte) (h Head, err error) {
	if len(b) < headSize {
		return h, errShort
	}
	length := binary.BigEndian.Uint32(b[atLength:])
	count := binary.BigEndian.Uint32(b[atCount:])
	h = Head{
		Offset:      int64(binary.BigEndian.Uint64(b[atOffset:])),
		Count:       int(count),
		Begin:       int64(binary.BigEndian.Uint64(b[atBaseTime:])),
		End:         int64(binary.BigEndian.Uint64(b[atMaxTime:])),
		Size:        atEpoch + int(length),
		crc:         binary.BigEndian.Uint32(b[atCRC:]),
		compression: int(b[atAttributes+1] & compressionMask),
	}
	if b[atMagic] != magic || length > maxBlock || h.Size < headSize || count > maxRecords ||
		h.Offset < 0 || h.compression != compressionNone && h.compression != compressionSnappy {
		return h, errCorrupt
	}
	return h, nil
}

// checkBlock checks the whole block, which b is.
func (h *Head) checkBlock(b []byte) error {
	if crc32.Checksum(b[atAttributes:h.Size], castagnoli) != h.crc {
		return errCorrupt
	}
	return nil
}

// parseRecords appends the records of the block b, which was checked, to dst. They
// borrow from the returned buffer, or from b.
func (h *Head) parseRecords(dst []Record, buf, b []byte) ([]Record, []byte, error) {
	body := b[headSize:h.Size]
	if h.compression == compressionSnappy {
		n, err := s2.DecodedLen(body)
		if err != nil || n > maxBlock {
			return dst, buf, errCorrupt
		}
		if cap(buf) < n {
			buf = make([]byte, n)
		}
		if body, err = s2.Decode(buf[:cap(buf)], body); err != nil {
			return dst, buf, errCorrupt
		}
	}
	if h.Count > len(body)/minRecord {
		return dst, buf, ErrRecord
	}
	for range h.Count {
		dst = append(dst, Record{})
		n, err := parseRecord(&dst[len(dst)-1], body, h.Begin)
		if err != nil {
			return dst[:len(dst)-1], buf, err
		}
		body = body[n:]
	}
	if len(body) > 0 {
		return dst, buf, ErrRecord
	}
	return dst, buf, nil
}
