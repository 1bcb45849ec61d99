package example

import (
	"slices"
	"sync"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

const (
	keptFirst = 3  // of each route and field
	keptLast  = 10 // after those
	// MaxBytes is what the examples of one target may take.
	MaxBytes = 8 << 20
	// MaxExample is the size in bytes of the largest one that is kept.
	MaxExample = MaxBytes / 8
	// overhead is what an example takes besides its texts, in bytes.
	overhead = 512
)

// Example is a request and the two responses that differ, secrets masked. It is not
// changed once it is in a Store.
type Example struct {
	Time    time.Time       `json:"time"`
	Route   string          `json:"route"`
	Fields  []compare.Field `json:"fields"`
	Method  string          `json:"method"`
	Target  string          `json:"target"` // in origin-form
	Header  string          `json:"header"`
	Body    string          `json:"body"`
	Against Side            `json:"against"`
	Mirror  Side            `json:"mirror"`
}

// Side is one of the responses.
type Side struct {
	Status  int     `json:"status,omitempty"`
	Error   string  `json:"error,omitempty"` // if there was no response
	Header  string  `json:"header"`
	Body    string  `json:"body"`
	Seconds float64 `json:"seconds"`
}

func (e *Example) size() int {
	n := overhead + len(e.Route) + len(e.Method) + len(e.Target) + len(e.Header) + len(e.Body)
	for _, s := range []*Side{&e.Against, &e.Mirror} {
		n += len(s.Header) + len(s.Body)
	}
	for _, f := range e.Fields {
		n += len(f.Path) + overhead
	}
	return n
}

// place is where examples are kept: of one field of one route.
type place struct {
	route string
	field compare.Field
}

// shelf has the examples of a place, the first ones and the last ones.
type shelf struct{ first, last []*Example }

// Store keeps examples of one target. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	shelves map[place]*shelf
	held    map[*Example]int // on how many shelves it is
	order   []*Example       // of those held, the oldest first
	bytes   int
}

// NewStore returns an empty Store.
func NewStore() *Store {
	return &Store{shelves: map[place]*shelf{}, held: map[*Example]int{}}
}

// Add keeps an example of each of its fields, instead of older ones if need be. It
// reports whether it did: one that is too large is not kept.
func (s *Store) Add(e *Example) bool {
	size := e.size()
	if size > MaxExample || len(e.Fields) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = append(s.order, e)
	s.bytes += size
	for _, f := range e.Fields {
		s.put(place{e.Route, f}, e)
	}
	for s.bytes > MaxBytes {
		s.evict()
	}
	return true
}

// Lacks reports whether one of the fields of a route has fewer examples than are
// kept for good.
func (s *Store) Lacks(route string, fields []compare.Field) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(fields, func(f compare.Field) bool {
		on := s.shelves[place{route, f}]
		return on == nil || len(on.first) < keptFirst
	})
}

func (s *Store) put(p place, e *Example) {
	on := s.shelves[p]
	if on == nil {
		on = &shelf{}
		s.shelves[p] = on
	}
	s.held[e]++
	if len(on.first) < keptFirst {
		on.first = append(on.first, e)
		return
	}
	on.last = append(on.last, e)
	if len(on.last) > keptLast {
		s.release(on.last[0])
		on.last = slices.Delete(on.last, 0, 1)
	}
}

// release takes an example off one shelf.
func (s *Store) release(e *Example) {
	if s.held[e]--; s.held[e] > 0 {
		return
	}
	delete(s.held, e)
	s.bytes -= e.size()
	s.order = slices.DeleteFunc(s.order, func(o *Example) bool { return o == e })
}

// evict removes the oldest example that is none of the first ones anywhere, or else
// the oldest.
func (s *Store) evict() {
	victim := s.order[0]
	for _, e := range s.order {
		if !slices.ContainsFunc(e.Fields, func(f compare.Field) bool {
			return slices.Contains(s.shelves[place{e.Route, f}].first, e)
		}) {
			victim = e
			break
		}
	}
	for _, f := range victim.Fields {
		p := place{victim.Route, f}
		on := s.shelves[p]
		is := func(e *Example) bool { return e == victim }
		on.first, on.last = slices.DeleteFunc(on.first, is), slices.DeleteFunc(on.last, is)
		if len(on.first)+len(on.last) == 0 {
			delete(s.shelves, p)
		}
		s.release(victim)
	}
}

// Examples returns what is kept of a route and of a field, as Field.String has it;
// of all of them where one is empty. The oldest come first.
func (s *Store) Examples(route, field string) []*Example {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []*Example{}
	for _, e := range s.order {
		if (route == "" || e.Route == route) && (field == "" || slices.ContainsFunc(e.Fields, func(f compare.Field) bool { return f.String() == field })) {
			found = append(found, e)
		}
	}
	return found
}

// Bytes is what the examples take.
func (s *Store) Bytes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Reset forgets all examples.
func (s *Store) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.shelves)
	clear(s.held)
	s.order, s.bytes = nil, 0
}
