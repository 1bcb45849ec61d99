package http1

import "bytes"

const (
	// maxMemo is how many bytes a head may have to be kept.
	maxMemo = 1 << 10
	// pause is for how many responses a Memo is left alone after a head was kept
	// for nothing: to keep one costs a third of reading it.
	pause = 31
)

// Memo keeps the head that came last, up to 1 KiB. A target often sends the same
// head again until its clock moves on, and to compare takes a sixth of the time
// to read. Where each head is another one, next to nothing is lost. The zero
// value is ready; a Memo belongs to one goroutine, and serves any number of
// Readers.
type Memo struct {
	head   []byte
	behind Reader // as it is behind head
	came   bool   // head came again since it is kept
	pause  int    // responses still to be read without it
}

// ReadWith does what Read does, and is faster if the response has the head that
// m keeps.
func (r *Reader) ReadWith(m *Memo, b []byte) (n int, err error) {
	if r.state <= atField {
		if n, err = r.readHeadWith(m, b); err != nil || r.state <= atField {
			return n, err
		}
	}
	taken, err := r.Read(b[n:])
	return n + taken, err
}

// readHeadWith does what readHead does, and is faster if m keeps the head.
func (r *Reader) readHeadWith(m *Memo, b []byte) (n int, err error) {
	if *r != (Reader{}) { // part of the head is taken, or it answers HEAD
		return r.readHead(b)
	}
	if m.pause > 0 {
		m.pause--
		return r.readHead(b)
	}
	if len(m.head) > 0 && bytes.HasPrefix(b, m.head) {
		*r, m.came = m.behind, true
		return len(m.head), nil
	}
	if n, err = r.readHead(b); err == nil && r.state > atField {
		m.keep(b[:n], *r)
	}
	return n, err
}

// keep remembers a head and how a Reader is behind it.
func (m *Memo) keep(head []byte, behind Reader) {
	if len(m.head) > 0 && !m.came {
		m.pause = pause
	}
	m.head, m.came = m.head[:0], false
	if len(head) <= maxMemo {
		m.head, m.behind = append(m.head, head...), behind
	}
}
