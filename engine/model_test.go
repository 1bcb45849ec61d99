package engine

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mirrorgate/mirrorgate/codec"
)

// model says what a session should do, in the simplest way there is: it has all
// the input at once, copies what it likes, and has no limit but those of SPOP.
// HELLOs and messages are for codec to read, which has tests of its own.
type model struct {
	ours     uint64 // bytes, the frame size that we would agree on
	longest  uint64 // bytes, of a frame that may come
	kept     uint64 // bytes, of a frame that is more than acknowledged
	buffer   int    // bytes of HAProxy's
	state    state
	open     bool // fragments are missing
	stream   [2]uint64
	payload  []byte
	limit    int
	replies  []string
	requests []string
}

// run plays a whole connection, from its first byte to its end.
func (m *model) run(in []byte) {
	m.longest, m.kept = 16<<10-4, 16<<10-4
	for m.state != stateClosed && len(in) >= 4 {
		size := uint64(binary.BigEndian.Uint32(in))
		if size < 7 {
			m.bye(codec.StatusInvalid)
			return
		}
		if size > m.longest {
			m.bye(codec.StatusTooBig)
			return
		}
		in = in[4:]
		if uint64(len(in)) < size {
			break
		}
		m.frame(in[:size])
		in = in[size:]
	}
	m.close()
}

func (m *model) bye(s codec.Status) {
	m.replies = append(m.replies, fmt.Sprintf("disc:%d", s))
	m.close()
}

func (m *model) close() {
	m.state = stateClosed
	if m.open {
		m.reject("aborted")
		m.open = false
	}
}

func (m *model) reject(reason string) { m.requests = append(m.requests, "reject "+reason) }

func (m *model) say(word string, f codec.Frame) {
	m.replies = append(m.replies, fmt.Sprintf("%s:%d:%d", word, f.StreamID, f.FrameID))
}

func (m *model) frame(b []byte) {
	f := codec.Frame{Type: codec.FrameType(b[0]), Flags: codec.Flags(b[4])}
	rest, ok := b[5:], true
	for _, id := range []*uint64{&f.StreamID, &f.FrameID} {
		if *id, rest, ok = plainVarint(rest); !ok {
			m.bye(codec.StatusInvalid)
			return
		}
	}
	f.Payload = rest
	first, last, given := f.Type == codec.FrameNotify, f.Flags&1 != 0, f.Flags&2 != 0
	ids := [2]uint64{f.StreamID, f.FrameID}
	switch {
	case m.state == stateHello:
		m.hello(f)
	case f.Type == codec.FrameHAProxyHello:
		m.bye(codec.StatusInvalid)
	case f.Type == codec.FrameHAProxyDisconnect:
		m.bye(codec.StatusNormal)
	case !first && (f.Type != codec.FrameUnset || !m.open):
		// Unknown, or the rest of what was given up.
	case m.open && (first || ids != m.stream):
		m.bye(codec.StatusInterlaced)
	case given:
		m.reject("aborted")
		m.open = false
		if first && last {
			m.say("ack", f)
		}
	case first && last && uint64(len(b)) > m.kept:
		m.reject("oversize")
		m.say("ack", f)
	case first && last:
		m.decode(rest, len(b), m.buffer)
		m.say("ack", f)
	default:
		if first {
			m.open, m.stream, m.payload = true, ids, nil
		}
		m.payload = append(m.payload, rest...)
		switch {
		case len(m.payload) > m.limit || uint64(len(b)) > m.kept:
			m.reject("oversize")
			m.say("abort", f)
			m.open = false
		case last:
			m.decode(m.payload, len(m.payload), max(m.buffer, 16384))
			m.say("ack", f)
			m.open = false
		}
	}
}

func (m *model) hello(f codec.Frame) {
	if f.Type == codec.FrameHAProxyDisconnect {
		m.close()
		return
	}
	if f.Type != codec.FrameHAProxyHello {
		m.bye(codec.StatusInvalid)
		return
	}
	h, err := codec.ParseHello(f)
	if err != nil {
		m.bye(err.(codec.Status))
		return
	}
	m.state = stateReady
	agreed := min(m.ours, h.MaxFrameSize)
	m.longest, m.kept = h.MaxFrameSize, agreed
	m.buffer = int(min(m.longest, 1<<32-1)) + 4
	m.limit = int(max(4*agreed, m.ours))
	if h.HealthCheck {
		agreed = 256
	}
	m.replies = append(m.replies, fmt.Sprintf("hello:%d", agreed))
}

// decode takes a buffer below 4 KiB for one that a max-frame-size hides.
func (m *model) decode(payload []byte, size, buffer int) {
	if buffer < 4096 {
		buffer = 16384
	}
	reqs, _, err := codec.AppendRequests(nil, payload)
	if err == codec.ErrOversize {
		m.reject("oversize")
	} else if err != nil {
		m.reject("malformed")
	}
	for _, r := range reqs {
		used := size
		for it := r.Headers.Iter(); it.Next(); {
			used += 8
		}
		if !strings.HasPrefix(string(r.Version), "1.") {
			used += buffer / 8
		}
		r.Full = used > buffer-1024-128
		m.requests = append(m.requests, describe(r))
	}
}

// plainVarint reads a varint by its definition (SPOE.txt section 3.1), in
// integers without bounds.
func plainVarint(b []byte) (v uint64, rest []byte, ok bool) {
	sum := new(big.Int)
	for i, c := range b {
		shift := uint(0)
		if i > 0 {
			shift = uint(4 + 7*(i-1))
		}
		sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(c)), shift))
		if i == 0 && c < 240 || i > 0 && c < 128 {
			return sum.Uint64(), b[i+1:], sum.IsUint64() && i < 10
		}
	}
	return 0, nil, false
}

// check compares a player that had the same input.
func (m *model) check(p *player) error {
	if got, want := readable(p.replies), strings.Join(m.replies, " "); got != want {
		return fmt.Errorf("the agent replies %q, the model %q", got, want)
	}
	if !slices.Equal(p.requests, m.requests) {
		return fmt.Errorf("the agent submits %q, the model %q", p.requests, m.requests)
	}
	if held := p.session.policy.memory.held.Load(); held != 0 || p.session.unfinished() {
		return fmt.Errorf("the agent still holds something, %d bytes beyond first buffers", held)
	}
	return nil
}

// modelFrameSize is small, so that limits are reached.
const modelFrameSize = 400

// connections draws what the other side of a connection says, mostly by the
// rules, and how it is cut.
var (
	streamIDs = rapid.SampledFrom([]uint64{0, 1, 1, 1, 2, 239, 240, 1<<32 - 1, 1<<64 - 1})
	someFlags = rapid.SampledFrom([]codec.Flags{fin, fin, 0, 0, fin | abort, abort, 0xfffffff0, 0xfffffff0 | fin})
	payloads  = rapid.Custom(func(t *rapid.T) []byte {
		switch rapid.IntRange(0, 7).Draw(t, "payload") {
		case 0:
			return nil
		case 1:
			return join(message("other", 1, arg("x", null)), get("/second"))
		case 2:
			return rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes")
		case 3:
			return make([]byte, rapid.IntRange(100, 2*modelFrameSize).Draw(t, "zeros"))
		case 4:
			b := get("/cut")
			return b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
		case 5:
			return mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")),
				arg("arg_body", bin(strings.Repeat("x", rapid.IntRange(0, 5*modelFrameSize).Draw(t, "body")))))
		default:
			return get("/")
		}
	})
	hellos = rapid.Custom(func(t *rapid.T) []byte {
		switch rapid.IntRange(0, 19).Draw(t, "hello") {
		case 17, 18:
			return announcing(rapid.SampledFrom([]uint64{0, 255, 256, 300, modelFrameSize, 2000, 1 << 40}).Draw(t, "size"))
		case 19:
			return frame(codec.FrameHAProxyHello, someFlags.Draw(t, "flags"), 0, 0, payloads.Draw(t, "payload"))
		default: // the simplest comes first: that is where rapid shrinks to
			return greeting()
		}
	})
	frames = rapid.Custom(func(t *rapid.T) []byte {
		id := streamIDs.Draw(t, "stream")
		switch rapid.IntRange(0, 49).Draw(t, "frame") {
		case 49:
			return hellos.Draw(t, "hello")
		case 48:
			return codec.AppendHAProxyDisconnect(nil, codec.StatusNormal)
		case 46, 47:
			kind := codec.FrameType(rapid.Byte().Draw(t, "type"))
			return frame(kind, someFlags.Draw(t, "flags"), id, 1, payloads.Draw(t, "payload"))
		case 45:
			return rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "bytes")
		case 40, 41, 42, 43, 44:
			return frame(codec.FrameNotify, 0, id, 1, payloads.Draw(t, "payload"))
		case 30, 31, 32, 33, 34, 35, 36, 37, 38, 39:
			return frame(codec.FrameUnset, someFlags.Draw(t, "flags"), id, 1, payloads.Draw(t, "payload"))
		case 28, 29:
			return frame(codec.FrameNotify, someFlags.Draw(t, "flags"), id, 1, payloads.Draw(t, "payload"))
		default:
			return notify(id, payloads.Draw(t, "payload"))
		}
	})
	connections = rapid.Custom(func(t *rapid.T) []byte {
		return append(hellos.Draw(t, "hello"), join(rapid.SliceOfN(frames, 0, 20).Draw(t, "frames")...)...)
	})
)

// TestSessionModel holds sessions against the model. make test runs it with
// -rapid.checks=100000.
func TestSessionModel(t *testing.T) {
	runs, ended, mirrored := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		in := connections.Draw(t, "connection")
		p := newPlayer(modelFrameSize)
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "read")
			p.feed(rest[:n])
			rest = rest[n:]
		}
		if p.session.state == stateClosed {
			ended++
		}
		p.close()
		m := model{ours: modelFrameSize}
		m.run(in)
		if err := m.check(p); err != nil {
			t.Fatal(err)
		}
		mirrored += len(p.requests)
	})
	t.Logf("%d connections, of which the agent ended %d, and %d requests", runs, ended, mirrored)
}
