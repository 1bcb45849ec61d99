package fanout

import "testing"

func TestPayloadRefs(t *testing.T) {
	const size = 700
	p := new(hand).acquire(new(payloads), size)
	p.refs.Store(3)
	if a, b, c := p.unref(), p.unref(), p.unref(); a || b || !c {
		t.Errorf("three references given back: the last one was %v, %v, %v", a, b, c)
	}
	defer func() {
		if recover() == nil {
			t.Error("one release too many did not panic")
		}
	}()
	p.unref()
}

// What admission reckons with is what the payload then costs.
func TestPayloadClasses(t *testing.T) {
	var free payloads
	var h hand
	f := func(size, capacity int) {
		t.Helper()
		var last *payload
		for i := range 3 {
			p := h.acquire(&free, size)
			if again := p == last; i > 0 && again != (capacity <= 1<<maxClass) {
				t.Errorf("%d bytes: the payload is the one before: %v", size, again)
			}
			last = p
			if len(p.buf) != 0 || cap(p.buf) != capacity || p.refs.Load() != 0 {
				t.Errorf("%d bytes: %d in use, room for %d, %d references; want room for %d", size, len(p.buf), cap(p.buf), p.refs.Load(), capacity)
			}
			if cost := payloadCost(size); cost != p.cost() || cost != int64(capacity)+payloadSize {
				t.Errorf("%d bytes: reckoned %d, cost %d", size, cost, p.cost())
			}
			p.buf = append(p.buf, make([]byte, size)...)
			p.refs.Store(1)
			p.unref()
			free.put(p)
		}
	}
	f(1, 512)
	f(512, 512)
	f(513, 1024)
	f(1024, 1024)
	f(1025, 2048)
	f(16380, 16384)
	f(65536, 65536)
	f(65537, 65537) // larger than any that is kept
	f(1<<20, 1<<20)
}

// Free payloads of all classes come in one chain; each class keeps so many.
func TestFreePayloads(t *testing.T) {
	var free payloads
	var h hand
	var chain *payload
	sizes := []int{100, 100, 5000, 100, 70_000, 5000}
	for _, size := range sizes {
		p := h.acquire(&free, size)
		p.next, chain = chain, p
	}
	free.put(chain)
	kept := func(want ...int) {
		t.Helper()
		for i := range free {
			n := 0
			for p := free[i].first; p != nil; p = p.next {
				n++
			}
			if n != free[i].n || n != want[i] {
				t.Errorf("class %d keeps %d and counts %d, want %d", minClass+i, n, free[i].n, want[i])
			}
		}
	}
	kept(3, 0, 0, 0, 2, 0, 0, 0)
	h.acquire(&free, 5000)
	kept(3, 0, 0, 0, 0, 0, 0, 0) // both are in the hand
	if h[4] == nil || h[4].next != nil {
		t.Error("the other one is not in the hand")
	}
	for range 3 * keptBytes >> maxClass {
		free.put(&payload{buf: make([]byte, 0, 1<<maxClass)})
	}
	kept(3, 0, 0, 0, 0, 0, 0, keptBytes>>maxClass)
	for range 2 * handful {
		free.put(&payload{buf: make([]byte, 0, 1<<minClass)})
	}
	h.acquire(&free, 1)
	kept(3+handful, 0, 0, 0, 0, 0, 0, keptBytes>>maxClass)
}
