package engine

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// vectors returns the bytes of all lines in testdata/vectors.txt that
// start with prefix, in order.
func vectors(t testing.TB, prefix string) (found [][]byte) {
	t.Helper()
	file, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, digits, ok := strings.Cut(lines.Text(), "\t")
		if !ok || !strings.HasPrefix(lines.Text(), prefix) {
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(digits))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, b)
	}
	if len(found) == 0 {
		t.Fatalf("no vector is named %q", prefix)
	}
	return found
}

// player feeds a session and notes what comes out. It overwrites all that dies
// with a wake-up, as the next read would.
type player struct {
	session  session
	replies  []byte
	requests []string
	frames   [frameKinds]int
	ignored  int
}

func newPlayer(maxFrameSize uint64) *player {
	p := &policy{maxFrameSize: maxFrameSize}
	p.memory.limit = 1 << 30
	return &player{session: newSession(p, &host{budget: &p.memory})}
}

func (p *player) feed(in []byte) {
	w := new(wake)
	in = bytes.Clone(in)
	p.session.feed(in, w)
	p.collect(w)
	spoil(in)
}

// close is what happens when the connection is gone.
func (p *player) close() {
	w := new(wake)
	p.session.end(w)
	p.collect(w)
}

func (p *player) collect(w *wake) {
	p.replies = append(p.replies, w.out...)
	w.decode()
	for _, r := range w.reqs {
		p.requests = append(p.requests, describe(r))
	}
	for k, n := range w.frames {
		p.frames[k] += n
	}
	p.ignored += w.ignored
	for _, b := range w.held {
		spoil(b.b)
	}
	spoil(w.copied)
	w.reset()
}

func spoil(b []byte) {
	for i := range b {
		b[i] = 0xee
	}
}

// describe writes a request as "METHOD target version [name: value|…] body",
// with a note behind it for what is special.
func describe(r codec.Request) string {
	if r.Reject != codec.RejectNone {
		return "reject " + r.Reject.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s [", r.Method, r.Target, r.Version)
	it := r.Headers.Iter()
	for sep := ""; it.Next(); sep = "|" {
		fmt.Fprintf(&b, "%s%s: %s", sep, it.Name, it.Value)
	}
	if it.Err() != nil {
		b.WriteString("!")
	}
	b.WriteString("] ")
	if len(r.Body) > 100 {
		fmt.Fprintf(&b, "<%d bytes>", len(r.Body))
	} else {
		b.Write(r.Body)
	}
	if r.BodySize >= 0 {
		fmt.Fprintf(&b, " size=%d", r.BodySize)
	}
	if r.Full {
		b.WriteString(" full")
	}
	return b.String()
}

// readable writes the agent's frames as "hello:SIZE", "ack:SID:FID",
// "abort:SID:FID" and "disc:CODE".
func readable(replies []byte) string {
	var words []string
	for len(replies) > 0 {
		if len(replies) < codec.LenSize || len(replies)-codec.LenSize < int(codec.FrameLen(replies)) {
			return strings.Join(append(words, "cut"), " ")
		}
		size := codec.LenSize + int(codec.FrameLen(replies))
		words = append(words, readableFrame(replies[codec.LenSize:size]))
		replies = replies[size:]
	}
	return strings.Join(words, " ")
}

func readableFrame(b []byte) string {
	f, err := codec.ParseFrame(b)
	if err != nil {
		return "malformed"
	}
	switch f.Type {
	case codec.FrameAgentHello:
		size, pipelining, err := codec.ParseAgentHello(f)
		if err != nil || !pipelining {
			return "bad-hello"
		}
		return fmt.Sprintf("hello:%d", size)
	case codec.FrameAgentDisconnect:
		d, err := codec.ParseDisconnect(f.Payload)
		if err != nil {
			return "bad-disconnect"
		}
		return fmt.Sprintf("disc:%d", d.Status)
	case codec.FrameAck:
		word := "ack"
		if f.Abort() {
			word = "abort"
		} else if len(f.Payload) == 0 {
			word = "empty-ack" // HAProxy 3.1.0 stalls on it
		}
		return fmt.Sprintf("%s:%d:%d", word, f.StreamID, f.FrameID)
	}
	return f.Type.String()
}

// Builders of what HAProxy sends.

const (
	fin   = codec.FlagFin
	abort = codec.FlagAbort
)

func frame(t codec.FrameType, flags codec.Flags, streamID, frameID uint64, payload ...[]byte) []byte {
	return codec.AppendFrame(nil, codec.Frame{
		Type: t, Flags: flags, StreamID: streamID, FrameID: frameID, Payload: join(payload...),
	})
}

func notify(streamID uint64, payload ...[]byte) []byte {
	return frame(codec.FrameNotify, fin, streamID, 1, payload...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func str(s string) codec.Value { return codec.Value{Type: codec.TypeString, Bytes: []byte(s)} }
func bin(s string) codec.Value { return codec.Value{Type: codec.TypeBinary, Bytes: []byte(s)} }
func num(t codec.Type, n uint64) codec.Value {
	return codec.Value{Type: t, Int: n}
}
func boolean(v bool) codec.Value { return codec.Value{Type: codec.TypeBool, Bool: v} }

var null = codec.Value{}

func arg(name string, v codec.Value) []byte {
	return codec.AppendValue(codec.AppendString(nil, name), v)
}

// raw is an argument with the bytes of its value written out.
func raw(name string, value ...byte) []byte {
	return append(codec.AppendString(nil, name), value...)
}

// message announces n arguments, whatever follows.
func message(name string, n byte, args ...[]byte) []byte {
	return join(codec.AppendString(nil, name), []byte{n}, join(args...))
}

// mirror is a message with exactly these arguments.
func mirror(args ...[]byte) []byte { return message("mirror", byte(len(args)), args...) }

// get is the shortest message that is a request.
func get(path string) []byte {
	return mirror(arg("arg_method", str("GET")), arg("arg_path", str(path)))
}

func helloFrame(args ...[]byte) []byte { return frame(codec.FrameHAProxyHello, fin, 0, 0, args...) }

func versions(s string) []byte     { return arg("supported-versions", str(s)) }
func frameSize(n uint64) []byte    { return arg("max-frame-size", num(codec.TypeUint32, n)) }
func capabilities(s string) []byte { return arg("capabilities", str(s)) }

// greeting is the HELLO that most cases start with.
func greeting() []byte { return announcing(16380) }

func announcing(size uint64) []byte {
	return helloFrame(versions("2.0"), frameSize(size), capabilities("pipelining"))
}
