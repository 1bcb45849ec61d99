package fanout

import "testing"

func TestPayloadRefs(t *testing.T) {
	const size = 1 << 17 // too large for the pools, so that nobody else gets it meanwhile
	p := acquirePayload(size)
	p.refs.Store(3)
	if a, b, c := p.release(), p.release(), p.release(); a != 0 || b != 0 || c != size+payloadSize {
		t.Errorf("three releases freed %d, %d and %d bytes, want 0, 0 and %d", a, b, c, size+payloadSize)
	}
	defer func() {
		if recover() == nil {
			t.Error("one release too many did not panic")
		}
	}()
	p.release()
}

// What admission reckons with is what the payload then costs.
func TestPayloadClasses(t *testing.T) {
	f := func(size, capacity int) {
		t.Helper()
		for range 2 { // new, and perhaps from the pool
			p := acquirePayload(size)
			if len(p.buf) != 0 || cap(p.buf) != capacity || p.refs.Load() != 0 {
				t.Errorf("%d bytes: %d in use, room for %d, %d references; want room for %d", size, len(p.buf), cap(p.buf), p.refs.Load(), capacity)
			}
			if cost := payloadCost(size); cost != p.cost() || cost != int64(capacity)+payloadSize {
				t.Errorf("%d bytes: reckoned %d, cost %d", size, cost, p.cost())
			}
			p.buf = append(p.buf, make([]byte, size)...)
			p.refs.Store(1)
			if freed := p.release(); freed != int64(capacity)+payloadSize {
				t.Errorf("%d bytes: freed %d", size, freed)
			}
		}
	}
	f(1, 512)
	f(512, 512)
	f(513, 1024)
	f(1024, 1024)
	f(1025, 2048)
	f(16380, 16384)
	f(65536, 65536)
	f(65537, 65537) // larger than any pool's
	f(1<<20, 1<<20)
}

func TestIsIdempotent(t *testing.T) {
	f := func(method string, want bool) {
		t.Helper()
		if got := isIdempotent([]byte(method)); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"} {
		f(method, true)
	}
	for _, method := range []string{"POST", "PATCH", "get", "PURGE", "PROPFIND", "LOCK", ""} {
		f(method, false)
	}
}
