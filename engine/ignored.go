package engine

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/mirrorgate/mirrorgate/codec"
)

// Bounds of what is remembered of ignored messages.
const (
	maxIgnored     = 16 // kinds
	maxIgnoredArgs = 32 // of a kind
	maxIgnoredName = 64 // bytes, of a message or an argument
	// ignoredAge is how long a kind did not come before it gives way to another.
	ignoredAge = time.Minute
)

// IgnoredMessage is a kind of message that is not mirrored because it carries
// neither arg_method nor arg_path: most likely their names are misspelt.
type IgnoredMessage struct {
	Name  string    // printable, of at most 64 bytes
	Args  []string  // the names of its arguments in order, 32 at most
	Count uint64    // messages of this kind
	Last  time.Time // when the last one came
}

// ignoredMessages counts ignored messages by the names in them. What comes again
// costs no allocation.
type ignoredMessages struct {
	seed maphash.Seed

	mu    sync.Mutex
	kinds []ignoredKind
}

type ignoredKind struct {
	hash uint64 // of all names
	IgnoredMessage
}

// Ignored returns the kinds of messages that are ignored, the last that came
// first: up to 16 of them, for as long as no other takes its place.
func (s *Server) Ignored() []IgnoredMessage {
	m := &s.ignored
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]IgnoredMessage, len(m.kinds))
	for i, k := range m.kinds {
		list[i] = k.IgnoredMessage
	}
	slices.SortFunc(list, func(a, b IgnoredMessage) int { return b.Last.Compare(a.Last) })
	return list
}

// noteIgnored remembers the ignored messages in payloads, which were decoded
// before, and logs each kind when it first comes.
func (s *Server) noteIgnored(payloads [][]byte) {
	now := time.Now()
	for _, b := range payloads {
		for len(b) > 0 {
			hash, ignored, n := s.ignored.read(b)
			if n == 0 {
				break
			}
			if ignored && s.ignored.count(hash, b, now) {
				m := describeMessage(b)
				s.cfg.Logger.Warn("messages are ignored: they carry neither arg_method nor arg_path",
					"message", m.Name, "arguments", strings.Join(m.Args, " "))
			}
			b = b[n:]
		}
	}
}

// read returns the hash of all names in the message that b starts with, whether
// it is ignored, and the number of bytes read.
func (m *ignoredMessages) read(b []byte) (hash uint64, ignored bool, n int) {
	name, args, n, err := codec.ParseMessage(b)
	if err != nil {
		return 0, false, 0
	}
	var h maphash.Hash
	h.SetSeed(m.seed)
	_, _ = h.Write(name)
	ignored = true
	for range args {
		arg, _, size, err := codec.ParseArg(b[n:])
		if err != nil {
			return 0, false, 0
		}
		n += size
		ignored = ignored && string(arg) != codec.ArgMethod && string(arg) != codec.ArgPath
		_ = h.WriteByte(0)
		_, _ = h.Write(arg)
	}
	return h.Sum64(), ignored, n
}

// count counts a message with that hash, which b starts with, and reports whether
// it is of a kind that was not known. One that finds no place is not.
func (m *ignoredMessages) count(hash uint64, b []byte, now time.Time) (fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	oldest := 0
	for i := range m.kinds {
		k := &m.kinds[i]
		if k.hash == hash {
			k.Count++
			k.Last = now
			return false
		}
		if k.Last.Before(m.kinds[oldest].Last) {
			oldest = i
		}
	}
	switch {
	case len(m.kinds) < maxIgnored:
		oldest = len(m.kinds)
		m.kinds = append(m.kinds, ignoredKind{})
	case now.Sub(m.kinds[oldest].Last) < ignoredAge:
		return false
	}
	kind := ignoredKind{hash, describeMessage(b)}
	kind.Count, kind.Last = 1, now
	m.kinds[oldest] = kind
	return true
}

// describeMessage returns the names in the message that b starts with.
func describeMessage(b []byte) (m IgnoredMessage) {
	name, args, n, _ := codec.ParseMessage(b)
	m.Name = printable(name)
	for range min(args, maxIgnoredArgs) {
		arg, _, size, _ := codec.ParseArg(b[n:])
		n += size
		m.Args = append(m.Args, printable(arg))
	}
	return m
}

// printable copies a name that a peer chose.
func printable(name []byte) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(name[:min(len(name), maxIgnoredName)]))
}
