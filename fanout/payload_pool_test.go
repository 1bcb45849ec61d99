package fanout

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What admission reckons with is what the payload then costs, and a payload is used
// again if it is of a class.
func TestPayloadClasses(t *testing.T) {
	f := func(size, capacity int) {
		t.Helper()
		var free payloads
		var local localFree
		var last *payload
		for i := range 3 {
			p := local.acquire(&free, size)
			if again := p == last; i > 0 && again != (capacity <= 4<<20) {
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
	f(65537, 80<<10)
	f(80<<10, 80<<10)
	f(80<<10+1, 96<<10)
	f(128<<10, 128<<10)
	f(128<<10+1, 160<<10)
	f(1<<20, 1<<20)
	f(3<<20+1, 3<<20+512<<10)
	f(4<<20, 4<<20)
	f(4<<20+1, 4<<20+8<<10) // larger than any that is kept
	f(5<<20, 5<<20)
}

// Each class is the smallest that holds its sizes; the large ones are four fifths
// full at least.
func TestClassOf(t *testing.T) {
	for class := range classes {
		size, below := classSize(class), 0
		if class > 0 {
			below = classSize(class - 1)
		}
		for _, n := range []int{below + 1, (below + size) / 2, size} {
			if got := classOf(n); got != class {
				t.Errorf("%d bytes are of class %d, want %d", n, got, class)
			}
		}
		if class >= smallClasses && 5*below < 4*size {
			t.Errorf("class %d of %d bytes follows one of %d", class, size, below)
		}
	}
	if got := classOf(classSize(classes-1) + 1); got < classes {
		t.Errorf("a size above all classes is of class %d", got)
	}
}

// What a payload is reckoned at is what the allocator takes for it.
func TestPayloadCostIsWhatIsAllocated(t *testing.T) {
	var free payloads
	var local localFree
	allocated := func(size int) int64 {
		const n = 4
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			local.acquire(&free, size)
		}
		runtime.ReadMemStats(&after)
		return int64(after.TotalAlloc-before.TotalAlloc) / n
	}
	f := func(size int) {
		t.Helper()
		least := allocated(size)
		for range 3 { // whatever else allocates meanwhile only adds to it
			least = min(least, allocated(size))
		}
		if least != payloadCost(size) {
			t.Errorf("%d bytes: reckoned %d, allocated %d", size, payloadCost(size), least)
		}
	}
	for class := range classes {
		f(classSize(class))
	}
	f(1)
	f(4<<20 + 1)
	f(5_000_000)
}

// kept returns how many payloads each class keeps, by its size in bytes.
func (ps *payloads) kept(t *testing.T) map[int]int {
	t.Helper()
	kept := map[int]int{}
	var large int64
	for class := range ps.lists {
		l := &ps.lists[class]
		l.mu.Lock()
		n := 0
		for p := l.first; p != nil; p = p.next {
			n++
		}
		if n != l.n {
			t.Errorf("class %d keeps %d and counts %d", class, n, l.n)
		}
		l.mu.Unlock()
		if n > 0 {
			kept[classSize(class)] = n
		}
		if class >= smallClasses {
			large += int64(n * classSize(class))
		}
	}
	if got := ps.large.Load(); got != large || large > keptLarge {
		t.Errorf("keeps %d bytes of large payloads and counts %d, should be at most %d", large, got, keptLarge)
	}
	return kept
}

// chainOf makes a chain of new payloads, the first of which is on top.
func chainOf(sizes ...int) *payload {
	var chain *payload
	for _, size := range slices.Backward(sizes) {
		chain = &payload{buf: make([]byte, 0, bufferSize(size)), next: chain}
	}
	return chain
}

// Free payloads of all classes come in one chain; each small class keeps so many,
// and all large ones together.
func TestFreePayloads(t *testing.T) {
	var free payloads
	var local localFree
	kept := func(want map[int]int) {
		t.Helper()
		if got := free.kept(t); !maps.Equal(got, want) {
			t.Errorf("keeps %v, want %v", got, want)
		}
	}
	free.put(chainOf(100, 100, 5000, 100, 70_000, 5000, 300_000, 5<<20))
	kept(map[int]int{512: 3, 8192: 2, 80 << 10: 1, 320 << 10: 1})
	local.acquire(&free, 5000)
	kept(map[int]int{512: 3, 80 << 10: 1, 320 << 10: 1}) // both are in the local list
	if class := classOf(5000); local[class] == nil || local[class].next != nil {
		t.Error("the other one is not in the local list")
	}
	local.acquire(&free, 70_000)
	kept(map[int]int{512: 3, 320 << 10: 1})

	for range 2 * maxRefill {
		free.put(chainOf(512))
	}
	local.acquire(&free, 1)
	kept(map[int]int{512: 3 + maxRefill, 320 << 10: 1})
	for range 3 * keptSmall / largeBuffer {
		free.put(chainOf(largeBuffer))
	}
	local.acquire(&free, largeBuffer) // large enough to be taken one by one
	kept(map[int]int{512: 3 + maxRefill, largeBuffer: keptSmall/largeBuffer - 1, 320 << 10: 1})
	for range keptLarge / (1 << 20) {
		free.put(chainOf(1<<20, 1<<20))
	}
	kept(map[int]int{512: 3 + maxRefill, largeBuffer: keptSmall/largeBuffer - 1, 320 << 10: 1, 1 << 20: keptLarge/(1<<20) - 1})
}

// What was not needed from one trim to the next is given back, and no more.
func TestTrim(t *testing.T) {
	var free payloads
	sizes := []int{512, 80 << 10, 1 << 20}
	put := func(n int, sizes ...int) {
		for range n {
			free.put(chainOf(sizes...))
		}
	}
	kept := func(want int) {
		t.Helper()
		free.trim()
		for _, size := range sizes {
			if got := free.kept(t)[size]; got != want {
				t.Errorf("keeps %d of %d bytes, want %d", got, size, want)
			}
		}
	}
	put(5, sizes...)
	kept(5) // they came just now
	for _, size := range sizes {
		class := classOf(size)
		three := []*payload{free.take(class, 1), free.take(class, 1), free.take(class, 1)}
		for _, p := range three {
			free.put(p)
		}
	}
	kept(3) // three were needed at once
	put(2, sizes...)
	kept(2) // of five three were not needed
	kept(0)
	put(3*maxRefill, 512) // more than are given back at once
	free.trim()
	kept(0)
}

// A gateway without traffic keeps no payload.
func TestIdlePayloadsAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout(t, nil, nobody)
		f.payloads.put(chainOf(512, 1<<20))
		time.Sleep(trimEvery)
		synctest.Wait()
		if n := len(f.payloads.kept(t)); n != 2 {
			t.Errorf("keeps %d classes, want both", n)
		}
		time.Sleep(trimEvery)
		synctest.Wait()
		if kept := f.payloads.kept(t); len(kept) > 0 {
			t.Errorf("keeps %v", kept)
		}
		drain(t, f)
	})
}

// Whoever puts, takes and trims at the same time: nothing is counted wrongly or kept
// twice.
func TestPayloadsAreShared(t *testing.T) {
	var free payloads
	var users sync.WaitGroup
	for seed := range 4 {
		users.Go(func() {
			var local localFree
			random := rand.New(rand.NewPCG(uint64(seed), 0))
			for i := range 2000 {
				var chain *payload
				for range random.IntN(4) {
					p := local.acquire(&free, 1<<random.IntN(20))
					p.buf = append(p.buf, byte(seed))
					p.next, chain = chain, p
				}
				for p := chain; p != nil; p = p.next {
					if len(p.buf) != 1 || p.buf[0] != byte(seed) {
						t.Errorf("a payload is in the hands of two: %v", p.buf)
					}
				}
				free.put(chain)
				if i%500 == seed {
					free.trim()
				}
			}
		})
	}
	users.Wait()
	free.kept(t)
}
