package fanout

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/internal/http1"
)

// keeping is the response to the current request of a connection that is compared;
// the zero value keeps nothing.
type keeping struct {
	pair *pair
	side uint8
	kept *kept // nil until something came
}

// kept is a response as far as it is kept. Whoever has it releases it once.
type kept struct {
	buf      []byte // the heads, and behind them the body unless it is hashed
	head     int    // bytes of the heads, interim ones too
	trailer  []byte
	length   int64          // bytes of the body
	hashed   *xxhash.Digest // of a body that is too large to be kept; else nil
	complete bool           // the body was read to its end
	code     int
	took     int64 // nanoseconds until the status came
}

// keepingOf returns what keeps the response to a request that is sent.
func keepingOf(e *entry) keeping {
	if e.flags&flagCompared == 0 {
		return keeping{}
	}
	return keeping{pair: e.pair, side: e.side}
}

// readResponse reads the current response on c, and keeps it if it is compared.
func (c *conn) readResponse(m *http1.Memo, b []byte) (n int, err error) {
	if c.keeping.pair == nil {
		return c.response.ReadWith(m, b)
	}
	return c.readKept(m, b)
}

func (c *conn) readKept(m *http1.Memo, b []byte) (n int, err error) {
	for err == nil && !c.response.Done() {
		var taken int
		var part http1.Part
		taken, part, err = c.response.ReadPart(m, b[n:])
		if taken == 0 {
			break
		}
		c.keeping.take(part, b[n:n+taken], c.response.BodyLeft())
		n += taken
	}
	return n, err
}

// take keeps a part of the response; bodyLeft is how much of the body has yet to
// come, -1 if that is not known.
func (k *keeping) take(part http1.Part, b []byte, bodyLeft int64) {
	switch part {
	case http1.Head:
		k.head(b, bodyLeft)
	case http1.Body:
		k.body(b, bodyLeft)
	case http1.Trailer:
		k.trailer(b)
	}
}

// head keeps a part of the heads, each ended by an empty line. It makes room for the
// body, too, if its length is known.
func (k *keeping) head(b []byte, bodyLeft int64) {
	if !k.wanted() {
		return
	}
	more := 0
	if bodyLeft >= 0 && bodyLeft <= k.pair.rules.body {
		more = int(bodyLeft)
	}
	if k.room(len(b), more) {
		k.kept.buf = append(k.kept.buf, b...)
		k.kept.head = len(k.kept.buf)
	}
}

// body keeps a part of the body, or hashes it if that is too large to be kept.
func (k *keeping) body(b []byte, left int64) {
	if !k.wanted() {
		return
	}
	most := k.pair.rules.body
	k.kept.length += int64(len(b))
	if k.kept.hashed != nil || k.kept.length > most || left > most {
		k.hash(b)
	} else if k.room(len(b), 0) {
		k.kept.buf = append(k.kept.buf, b...)
	}
}

// trailer keeps a part of the trailer fields.
func (k *keeping) trailer(b []byte) {
	if k.wanted() {
		k.kept.trailer = append(k.kept.trailer, b...)
	}
}

// wanted reports whether the response is kept, and gives it up if the pair is over.
func (k *keeping) wanted() bool {
	if k.pair != nil && k.pair.over.Load() {
		k.giveUp()
	}
	return k.pair != nil
}

// giveUp keeps nothing of the response any more.
func (k *keeping) giveUp() {
	k.kept.release(k.pair.common)
	*k = keeping{}
}

// end is the end of the response, which did or did not come whole. Without a status
// it says nothing.
func (k *keeping) end(complete bool) {
	switch {
	case k.pair == nil:
		return
	case k.kept == nil || k.kept.code == 0:
		k.giveUp()
		return
	}
	k.kept.complete = complete
	k.pair.responded(k.side, k.kept)
	*k = keeping{}
}

// status notes the status of the response and the time until it came.
func (k *keeping) status(code int, took int64) {
	if k.kept != nil {
		k.kept.code, k.kept.took = code, took
	}
}

// room makes room for n bytes, and if there is none yet for so many more. If that is
// more than may be held, it ends the side of the pair, and reports false.
func (k *keeping) room(n, more int) bool {
	old := k.kept
	if old != nil && cap(old.buf)-len(old.buf) >= n {
		return true
	}
	size := n + more
	if old != nil {
		size += len(old.buf)
		if more == 0 {
			size = max(size, min(2*cap(old.buf), old.head+int(k.pair.rules.body))) // its length is not known
		}
	}
	return k.move(size)
}

// move moves what is kept to where there is room for so many bytes, as room does.
func (k *keeping) move(size int) bool {
	to := acquireKept(k.pair.common, size)
	if to == nil {
		pair, side := k.pair, k.side
		k.giveUp()
		pair.dropped(side, dropMemory)
		return false
	}
	if old := k.kept; old != nil {
		buf := append(to.buf, old.buf...)
		*to = *old
		to.buf = buf
		old.release(k.pair.common)
	}
	k.kept = to
	return true
}

// hash goes on with the hash of a body that is too large to be kept, and gives back
// what was kept of it.
func (k *keeping) hash(b []byte) {
	if k.kept.hashed == nil {
		k.kept.hashed = xxhash.New()
		_, _ = k.kept.hashed.Write(k.kept.buf[k.kept.head:])
		k.kept.buf = k.kept.buf[:k.kept.head]
		if bufferSize(k.kept.head) < cap(k.kept.buf) && !k.move(k.kept.head) {
			return
		}
	}
	_, _ = k.kept.hashed.Write(b)
}

// keptPools have free ones, by the class of their buffers.
var keptPools [smallClasses]sync.Pool

// acquireKept returns one with room for so many bytes, nil if that is more than may
// be held.
func acquireKept(shared *common, size int) *kept {
	class := classOf(size)
	n := bufferSize(size)
	if m := &shared.memory; !m.fits(int64(n)) || !m.fitsPair(int64(n)) {
		return nil
	}
	shared.memory.responses.Add(int64(n))
	if class < smallClasses {
		if k, ok := keptPools[class].Get().(*kept); ok {
			return k
		}
	}
	return &kept{buf: make([]byte, 0, n)}
}

// release gives k back, which may be nil.
func (k *kept) release(shared *common) {
	if k == nil {
		return
	}
	n := cap(k.buf)
	shared.memory.responses.Add(-int64(n))
	*k = kept{buf: k.buf[:0]}
	if class := classOf(n); class < smallClasses {
		keptPools[class].Put(k)
	}
}

// read makes r the response of a side, as it is compared. It borrows from p.
func (p *pair) read(r *compare.Response, at uint8) {
	s := &p.sides[at]
	if s.fate == failed {
		*r = compare.Response{Error: s.kind.String()}
		return
	}
	k := s.response
	*r = compare.Response{
		Status: k.code, Header: finalHead(k.buf[:k.head]), Length: k.length, Complete: k.complete,
		Authority: p.authorities[at], Duration: time.Duration(k.took),
	}
	if len(k.trailer) > 0 {
		r.Header = append(bytes.Clone(r.Header), k.trailer...)
	}
	if k.hashed != nil {
		r.Hash = k.hashed.Sum64()
	} else {
		r.Body = k.buf[k.head:]
	}
}

// hashBodies sets the hashes of bodies that were kept. If they are all equal, which
// is cheaper to find out, none is needed.
func hashBodies(responses ...*compare.Response) {
	first := responses[0]
	if !slices.ContainsFunc(responses, func(r *compare.Response) bool { return !bytes.Equal(r.Body, first.Body) }) {
		return
	}
	for _, r := range responses {
		if len(r.Body) > 0 {
			r.Hash = xxhash.Sum64(r.Body)
		}
	}
}

// finalHead returns the field lines of the final response: without its status line,
// and the interim responses before it.
func finalHead(heads []byte) []byte {
	for {
		line, fields, _ := bytes.Cut(heads, newline)
		const code = len("HTTP/1.1 ")
		if len(line) < code+3 || line[code] != '1' || string(line[code:code+3]) == "101" {
			return fields
		}
		for len(line) > 1 { // more than a CR
			line, fields, _ = bytes.Cut(fields, newline)
		}
		heads = fields
	}
}

var newline = []byte("\n")
