package engine

import "testing"

// Larger buffers are used again, up to a limit, and given back when nobody uses
// them any more.
func TestSpareBuffers(t *testing.T) {
	var s spareBuffers
	f := func(what string, bytes int, more bool) {
		t.Helper()
		if got := s.trim(); s.bytes != bytes || got != more {
			t.Errorf("%s: %d bytes are spare, more to trim: %v; want %d, %v", what, s.bytes, got, bytes, more)
		}
	}
	f("at first", 0, false)
	a, b := s.get(32<<10), s.get(1<<20)
	f("in use", 0, true)
	s.put(a)
	s.put(b)
	f("not yet used since", 0, false)
	a = s.get(1 << 20)
	s.put(a)
	f("just used", 1<<20, true)
	if b = s.get(1 << 20); &a[:1][0] != &b[:1][0] || len(b) != 0 {
		t.Error("a spare buffer is not used again")
	}
	s.put(b)
	f("used again", 1<<20, true)
	f("not used any more", 0, false)
	var many [][]byte
	for range 6 {
		many = append(many, s.get(1<<20))
	}
	for _, b := range append(many, s.get(2<<20)) {
		s.put(b)
	}
	f("as many as may be", maxSpare, true)
}
