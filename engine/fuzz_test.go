package engine

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// FuzzSession feeds the same bytes at once and in pieces: replies and requests
// must be the same, and those of the model, and nothing may be left when the
// connection is gone.
func FuzzSession(f *testing.F) {
	for _, b := range vectors(f, "rx ") {
		f.Add(b, []byte{1, 2, 3})
		f.Add(join(greeting(), b, b), []byte{7})
	}
	f.Add(join(announcing(256), bytes.Repeat(frame(codec.FrameNotify, 0, 1, 1, make([]byte, 99)), 2)), []byte{50})
	f.Add(join(announcing(256), frame(codec.FrameNotify, 0, 1, 1), bytes.Repeat(frame(codec.FrameUnset, 0, 1, 1, make([]byte, 200)), 9),
		frame(codec.FrameUnset, fin, 1, 1), notify(2, get("/"))), []byte{5, 100})
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		m := model{ours: 2048}
		m.run(in)
		whole, pieces := newPlayer(2048), newPlayer(2048)
		whole.feed(in)
		for i := 0; len(in) > 0; i++ {
			n := len(in)
			if len(cuts) > 0 {
				n = min(n, int(cuts[i%len(cuts)])+1)
			}
			pieces.feed(in[:n])
			in = in[n:]
		}
		for _, p := range []*player{whole, pieces} {
			p.close()
			if p.session.partial != nil || p.session.stream.payload != nil {
				t.Error("a buffer is left")
			}
		}
		if err := m.check(whole); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(whole.replies, pieces.replies) {
			t.Errorf("replies differ: %s, and in pieces %s", readable(whole.replies), readable(pieces.replies))
		}
		if !slices.Equal(whole.requests, pieces.requests) {
			t.Errorf("requests differ: %q, and in pieces %q", whole.requests, pieces.requests)
		}
		if whole.frames != pieces.frames || whole.ignored != pieces.ignored {
			t.Error("counts differ")
		}
	})
}
