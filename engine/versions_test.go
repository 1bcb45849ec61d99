package engine

import (
	"fmt"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// What differs between the versions of HAProxy, in the bytes that each of them
// sends; those of 2.6, 3.0 and 3.2 are tested for real as well.
func TestVersions(t *testing.T) {
	f := func(version string, announced uint64, s step) {
		t.Run(version, func(t *testing.T) { s.check(t, announced) })
	}
	const ours = 1 << 20
	hello := func(list string, more ...[]byte) []byte {
		return helloFrame(append([][]byte{versions("2.0"), frameSize(16380), capabilities(list)}, more...)...)
	}
	engine := arg("engine-id", str("d4c997dc-a026-44aa-b928-c996d3cf757d"))
	event := func(streamID, frameID uint64) []byte {
		return frame(codec.FrameNotify, fin, streamID, frameID, get("/"))
	}

	// Up to 1.8.9 it speaks SPOP 1.0, whose flags are in the order of the host.
	old := helloFrame(versions("1.0"), frameSize(16380), capabilities("pipelining,async"))
	copy(old[codec.LenSize+1:], []byte{1, 0, 0, 0})
	f("1.8.0", ours, says(old, "disc:8"))
	// Without threads it knows async, and has no engine-id yet.
	f("1.8.10", ours, says(join(hello("pipelining,async"), event(0, 1)), "hello:16380 ack:0:1", "GET /  [] "))
	// One counter of streams for the whole process, checks included: the ids start
	// at 0 and have gaps; each event of a stream has a frame-id.
	f("2.0", ours, says(join(hello("pipelining", engine), event(0, 1), event(7, 1), event(7, 2), event(1<<32-1, 1), event(3, 1)),
		"hello:16380 ack:0:1 ack:7:1 ack:7:2 ack:4294967295:1 ack:3:1",
		"GET /  [] ", "GET /  [] ", "GET /  [] ", "GET /  [] ", "GET /  [] "))
	f("2.6 disconnects when idle", ours, says(join(hello("pipelining", engine), event(0, 1), vectors(t, "rx HAPROXY-DISCONNECT")[0]),
		"hello:16380 ack:0:1 disc:0", "GET /  [] "))
	// It sends frames as large as it announced, whatever was agreed on.
	f("3.1.0", 1000, says(join(hello("pipelining", engine), sized(1707)), "hello:1000 ack:1:1", "reject oversize"))
	// A NOTIFY may have no message.
	f("3.1 to 3.2", ours, says(join(hello("pipelining", engine), frame(codec.FrameNotify, fin, 1, 1), event(3, 1)),
		"hello:16380 ack:1:1 ack:3:1", "GET /  [] "))
	// The ids are odd, count for one connection, and each frame-id is 1.
	f("3.4 and 3.5", ours, says(join(hello("pipelining", engine), event(1, 1), event(3, 1), event(5, 1)),
		"hello:16380 ack:1:1 ack:3:1 ack:5:1", "GET /  [] ", "GET /  [] ", "GET /  [] "))
	f("pipelining turned off", ours, says(join(hello("", engine), event(1, 1)), "hello:16380 ack:1:1", "GET /  [] "))
}

// HAProxy 3.1 and later ends each connection by a reset. It is no error, and what
// came before is mirrored.
func TestResetIsTheNormalEnd(t *testing.T) {
	s := serve(t, nil)
	for range 10 {
		c := s.greet(t)
		c.send(notify(1, get("/")))
		c.expect("ack:1:1")
		c.reset()
	}
	await(t, "the end of all connections", func() bool { return s.registry.len() == 0 })
	await(t, "the requests", func() bool { return len(s.mirror.list()) == 10 })
	s.shut()
	if log := s.log.String(); log != "" {
		t.Errorf("the log is not empty: %s", log)
	}
	for _, status := range codec.Statuses {
		if n := s.metric(fmt.Sprintf(`mirrorgate_spop_errors_total{code="%d"}`, status)); n != "0" && n != "absent" {
			t.Errorf("%s errors %v", n, status)
		}
	}
}
