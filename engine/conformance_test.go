package engine

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// step is what one side of a connection says, what the agent replies to all of
// it, and which requests it submits.
type step struct {
	in       []byte
	replies  string
	requests []string
}

func says(in []byte, replies string, requests ...string) step { return step{in, replies, requests} }

// after is says on a connection that has shaken hands.
func after(in []byte, replies string, requests ...string) step {
	return says(join(greeting(), in), strings.TrimSpace("hello:16380 "+replies), requests...)
}

// check runs a step with the input cut in every way that could matter: the
// outcome is always the same.
func (s step) check(t *testing.T, maxFrameSize uint64) {
	t.Helper()
	run := func(cut string, reads [][]byte) {
		t.Helper()
		p := newPlayer(maxFrameSize)
		for _, b := range reads {
			p.feed(b)
		}
		if got := readable(p.replies); got != s.replies {
			t.Fatalf("%s: the agent replies %q, want %q", cut, got, s.replies)
		}
		if !slices.Equal(p.requests, s.requests) {
			t.Fatalf("%s: submitted %q, want %q", cut, p.requests, s.requests)
		}
	}
	run("one read", [][]byte{s.in})
	run("byte by byte", slices.Collect(slices.Chunk(s.in, 1)))
	if len(s.in) < 1000 {
		for i := range s.in {
			run("two reads", [][]byte{s.in[:i], s.in[i:]})
		}
	}
}

// TestConformance has the numbered cases of what a HAProxy, or whoever else
// connects, may send. Those that need a connection (18, 34, 35) are in TestServer.
// Where HTTP decides what becomes of a request, it shows what is handed on.
func TestConformance(t *testing.T) {
	f := func(name string, steps ...step) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			for _, s := range steps {
				s.check(t, 1<<20)
			}
		})
	}

	// Handshake
	f("01 valid HELLO",
		says(vectors(t, "rx HAPROXY-HELLO ")[1], "hello:16380"),
		says(vectors(t, "rx HAPROXY-HELLO ")[2], "hello:16380"))
	f("02 HELLO byte by byte", says(greeting(), "hello:16380"))
	f("03 HELLO and NOTIFY in one segment", says(join(greeting(), notify(0, get("/"))), "hello:16380 ack:0:1", "GET /  [] "))
	f("04 healthcheck HELLO", says(vectors(t, "rx HAPROXY-HELLO healthcheck")[0], "hello:256"))
	f("05 healthcheck=false",
		says(join(helloFrame(versions("2.0"), frameSize(16380), capabilities(""), arg("healthcheck", boolean(false))),
			notify(1, get("/"))), "hello:16380 ack:1:1", "GET /  [] "))
	f("06 lists of versions with 2.x", helloWith(versions("2.0, 1.5"), "hello:16380"),
		helloWith(versions(" 2.0"), "hello:16380"), helloWith(versions("1.5,2.0 "), "hello:16380"))
	f("07 versions without 2.x", helloWith(versions("1.0"), "disc:8"), helloWith(versions("3.0"), "disc:8"),
		helloWith(versions(""), "disc:8"), helloWith(versions("2"), "disc:8"), helloWith(versions("x"), "disc:8"))
	f("08 missing items",
		says(helloFrame(frameSize(16380), capabilities("pipelining")), "disc:5"),
		says(helloFrame(versions("2.0"), capabilities("pipelining")), "disc:6"),
		says(helloFrame(versions("2.0"), frameSize(16380)), "hello:16380"))
	f("09 bounds of max-frame-size", says(announcing(256), "hello:256"), says(announcing(255), "disc:9"),
		says(announcing(1<<20), "hello:1048576"), says(announcing(1<<32), "hello:1048576"),
		says(announcing(1<<64-1), "hello:1048576"))
	f("10 types of max-frame-size", sizeWith(num(codec.TypeInt32, 16380), "hello:16380"),
		sizeWith(num(codec.TypeInt64, 16380), "hello:16380"), sizeWith(num(codec.TypeUint64, 16380), "hello:16380"),
		sizeWith(str("16380"), "disc:4"))
	f("11 capabilities",
		says(helloFrame(versions("2.0"), frameSize(16380), capabilities(" pipelining , async,foo")), "hello:16380"),
		says(helloFrame(versions("2.0"), frameSize(16380), capabilities("")), "hello:16380"))
	f("12 unknown items of every type",
		helloWith(join(versions("2.0"), arg("a", null), arg("b", boolean(true)), arg("c", num(codec.TypeInt32, 1)),
			arg("d", num(codec.TypeUint32, 1)), arg("e", num(codec.TypeInt64, 1)), arg("f", num(codec.TypeUint64, 1<<64-1)),
			raw("g", 6, 127, 0, 0, 1), raw("h", append([]byte{7}, make([]byte, 16)...)...), arg("i", str("x")),
			arg("j", bin("x"))), "hello:16380"),
		helloWith(join(versions("2.0"), raw("a", 10)), "disc:4"), helloWith(join(versions("2.0"), raw("a", 15)), "disc:4"))
	f("13 duplicate keys: the last wins", helloWith(join(versions("1.0"), versions("2.0"), frameSize(300)), "hello:16380"))
	f("14 HELLO without FIN or with ids",
		says(frame(codec.FrameHAProxyHello, 0, 0, 0, versions("2.0"), frameSize(16380)), "disc:10"),
		says(frame(codec.FrameHAProxyHello, fin, 1, 0, versions("2.0"), frameSize(16380)), "disc:4"),
		says(frame(codec.FrameHAProxyHello, fin, 0, 1, versions("2.0"), frameSize(16380)), "disc:4"))
	f("15 SPOP 1.0 flags", says(vectors(t, "rx\t")[0], "disc:8"))
	f("16 second HELLO", after(greeting(), "disc:4"))
	f("17 other frames before the HELLO", says(notify(1, get("/")), "disc:4"),
		says(frame(codec.FrameUnset, fin, 1, 1), "disc:4"), says(frame(77, fin, 1, 1), "disc:4"),
		says(vectors(t, "rx HAPROXY-DISCONNECT")[0], ""))
	f("19 TLS and HTTP",
		says([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "disc:3"),
		says([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "disc:3"))

	// Framing
	f("20 LEN below the smallest frame", says([]byte{0, 0, 0, 0}, "disc:4"), says([]byte{0, 0, 0, 6, 1, 2, 3, 4, 5, 6}, "disc:4"),
		after([]byte{0, 0, 0, 0}, "disc:4"), after([]byte{0, 0, 0, 1, 3}, "disc:4"), after([]byte{0, 0, 0, 6}, "disc:4"))
	f("21 LEN 7, an empty NOTIFY", after([]byte{0, 0, 0, 7, 3, 0, 0, 0, 1, 5, 1}, "ack:5:1"))
	f("22 LEN at its limit",
		after(sized(16380), "ack:1:1", "POST /  [] <16323 bytes> full"),
		after(sized(16381), "disc:3"),
		after([]byte{0x7f, 0xff, 0xff, 0xff}, "disc:3"), after([]byte{0xff, 0xff, 0xff, 0xff, 3, 0}, "disc:3"))
	t.Run("23 LEN between negotiated and announced", func(t *testing.T) {
		f := func(in []byte, replies string, requests ...string) {
			t.Helper()
			says(join(announcing(16380), in, notify(7, get("/next"))), strings.Join(strings.Fields("hello:1000 "+replies+" ack:7:1"), " "), append(requests, "GET /next  [] ")...).check(t, 1000)
		}
		f(sized(1000), "ack:1:1", "POST /  [] <944 bytes>")
		f(sized(1001), "ack:1:1", "reject oversize")
		f(sized(16380), "ack:1:1", "reject oversize")
		f(frame(codec.FrameNotify, fin|abort, 1, 1, make([]byte, 2000)), "ack:1:1", "reject aborted")
		f(frame(77, fin, 1, 1, make([]byte, 2000)), "")
		start, rest := frame(codec.FrameNotify, 0, 1, 1, get("/")), frame(codec.FrameUnset, fin, 1, 1, make([]byte, 2000))
		f(join(start, rest), "abort:1:1", "reject oversize")
		f(join(frame(codec.FrameNotify, 0, 1, 1, make([]byte, 2000)), rest), "abort:1:1", "reject oversize")
		f(join(start, frame(codec.FrameUnset, fin|abort, 1, 1, make([]byte, 2000))), "", "reject aborted")
		says(join(announcing(16380), sized(16381)), "hello:1000 disc:3").check(t, 1000)
		says(join(announcing(16380), frame(codec.FrameHAProxyDisconnect, fin, 0, 0, make([]byte, 2000))), "hello:1000 disc:0").check(t, 1000)
		says(join(announcing(16380), frame(codec.FrameHAProxyHello, fin, 0, 0, make([]byte, 2000))), "hello:1000 disc:4").check(t, 1000)
		head := frame(codec.FrameNotify, fin, 1, 1, make([]byte, 2000))
		copy(head[codec.LenSize+5:], bytes.Repeat([]byte{0xff}, 30))
		says(join(announcing(16380), head), "hello:1000 disc:4").check(t, 1000)
	})
	f("24 frames cut anywhere", after(join(slices.Repeat([][]byte{notify(7, get("/x"))}, 20)...),
		strings.TrimSpace(strings.Repeat("ack:7:1 ", 20)), slices.Repeat([]string{"GET /x  [] "}, 20)...))
	f("25 stream-id beyond LEN", after([]byte{0, 0, 0, 8, 3, 0, 0, 0, 1, 0xf0, 0x80, 0x80}, "disc:4"))
	f("26 stream-id 2^64-1 is echoed", after(notify(1<<64-1), "ack:18446744073709551615:1"),
		after(notify(1<<32-1), "ack:4294967295:1"), after(notify(1<<31-1), "ack:2147483647:1"))
	f("27 stream-id 0", after(notify(0, get("/")), "ack:0:1", "GET /  [] "))
	f("28 varint overflow",
		after(join([]byte{0, 0, 0, 16, 3, 0, 0, 0, 1}, overflow, []byte{1}), "disc:4"),
		after(join([]byte{0, 0, 0, 17, 3, 0, 0, 0, 1}, overlong, []byte{1}), "disc:4"),
		after(notify(1, mirror(raw("arg_path", append([]byte{8}, overflow...)...))), "ack:1:1", "reject malformed"),
		after(notify(1, mirror(raw("arg_path", append([]byte{8}, overlong...)...))), "ack:1:1", "reject malformed"))
	f("29 reserved flag bits",
		after(frame(codec.FrameNotify, 0xfffffffc|fin, 1, 1, get("/")), "ack:1:1", "GET /  [] "),
		after(frame(codec.FrameNotify, 0xfffffffd, 1, 1, get("/")), "ack:1:1", "GET /  [] "))
	f("30 unknown frame types", after(join(frame(4, fin, 0, 0), frame(99, 0, 1, 1), frame(200, fin, 0, 0, []byte("x")),
		notify(1, get("/"))), "ack:1:1", "GET /  [] "))
	f("31 frame types of an agent", after(join(frame(101, fin, 0, 0), frame(102, fin, 0, 0), frame(103, fin, 1, 1),
		notify(1, get("/"))), "ack:1:1", "GET /  [] "))
	f("32 the same ids twice", after(join(notify(1, get("/")), notify(1, get("/"))), "ack:1:1 ack:1:1", "GET /  [] ", "GET /  [] "))
	f("33 end in the middle of a frame", after(notify(1, get("/"))[:20], ""))

	// DISCONNECT
	var disconnects []step
	for _, code := range []codec.Status{0, 2, 10, 99, 250} {
		disconnects = append(disconnects, after(codec.AppendHAProxyDisconnect(nil, code), "disc:0"))
	}
	f("36 HAPROXY-DISCONNECT", disconnects...)
	f("37 HAPROXY-DISCONNECT with malformed items", after(frame(codec.FrameHAProxyDisconnect, fin, 0, 0, []byte{200, 1}), "disc:0"),
		after(frame(codec.FrameHAProxyDisconnect, fin, 0, 0), "disc:0"))
	bye := codec.AppendHAProxyDisconnect(nil, codec.StatusNormal)
	f("38 frames after HAPROXY-DISCONNECT", after(join(bye, notify(1, get("/")), bye), "disc:0"))
	f("39 ACKs before the DISCONNECT, not after", after(join(notify(1, get("/")), bye, notify(2)), "ack:1:1 disc:0", "GET /  [] "))

	// Fragmentation
	fragmented := vectors(t, "rx type=")
	f("40 three fragments", after(join(fragmented...), "ack:0:1 ack:2:1",
		"GET /warm 1.1 [host: 127.0.0.1:19130|user-agent: curl/7.88.1|accept: */*] ",
		"POST /one 1.1 [host: 127.0.0.1:19130|user-agent: curl/7.88.1|accept: */*|content-length: 300|"+
			"content-type: application/x-www-form-urlencoded] <300 bytes>"))
	f("40 two fragmented NOTIFYs in one read", after(join(
		frame(codec.FrameNotify, 0, 1, 1), frame(codec.FrameUnset, fin, 1, 1, get("/first")),
		frame(codec.FrameNotify, 0, 2, 1), frame(codec.FrameUnset, fin, 2, 1, get("/other"))),
		"ack:1:1 ack:2:1", "GET /first  [] ", "GET /other  [] "))
	f("41 fragments cut anywhere in the payload", cutAnywhere(mirror(arg("arg_method", str("GET")), arg("arg_path", str("/x")),
		arg("n", num(codec.TypeUint64, 1<<64-1))), "GET /x  [] ")...)
	f("42 UNSET without a start", after(join(frame(codec.FrameUnset, 0, 1, 1, get("/")), frame(codec.FrameUnset, fin, 1, 1),
		notify(2, get("/"))), "ack:2:1", "GET /  [] "))
	begun := frame(codec.FrameNotify, 0, 1, 1, get("/"))
	f("43 another stream in the middle",
		after(join(begun, frame(codec.FrameUnset, fin, 2, 1)), "disc:11", "reject aborted"),
		after(join(begun, frame(codec.FrameUnset, fin, 1, 2)), "disc:11", "reject aborted"),
		after(join(begun, notify(2, get("/"))), "disc:11", "reject aborted"))
	f("44 HAProxy gives a fragmented NOTIFY up", after(join(begun, frame(codec.FrameUnset, fin|abort, 1, 1), notify(2, get("/"))),
		"ack:2:1", "reject aborted", "GET /  [] "))
	tooMuch := slices.Concat([][]byte{announcing(256), begun}, slices.Repeat([][]byte{frame(codec.FrameUnset, 0, 1, 1, make([]byte, 200))}, 8))
	t.Run("45 fragments beyond the limit", func(t *testing.T) {
		says(join(join(tooMuch...), frame(codec.FrameUnset, fin, 1, 1), notify(2, get("/"))), "hello:256 abort:1:1 ack:2:1",
			"reject oversize", "GET /  [] ").check(t, 1024)
		says(join(join(tooMuch...), notify(2, get("/")), frame(codec.FrameUnset, fin, 1, 1)), "hello:256 abort:1:1 ack:2:1",
			"reject oversize", "GET /  [] ").check(t, 1024)
	})
	f("46 NOTIFY without FIN: fragmentation is always announced", after(join(begun, frame(codec.FrameUnset, fin, 1, 1)),
		"ack:1:1", "GET /  [] "))
	f("47 NOTIFY with ABORT and FIN", after(frame(codec.FrameNotify, fin|abort, 1, 1, get("/")), "ack:1:1", "reject aborted"))
	t.Run("48 connection closes in the middle", func(t *testing.T) {
		p := newPlayer(1 << 20)
		p.feed(join(greeting(), begun, greeting()[:30]))
		p.close()
		p.close()
		if want := []string{"reject aborted"}; !slices.Equal(p.requests, want) || p.session.partial != nil || p.session.stream.payload != nil {
			t.Fatalf("submitted %q, want %q once and no buffer left", p.requests, want)
		}
	})
	t.Run("49 fragments of one byte are copied once", func(t *testing.T) {
		p := newPlayer(1 << 20)
		p.feed(join(greeting(), frame(codec.FrameNotify, 0, 1, 1)))
		payload := mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(strings.Repeat("x", 16<<10))))
		grown, room := 0, 0
		for i := range payload {
			p.feed(frame(codec.FrameUnset, 0, 1, 1, payload[i:i+1]))
			if now := cap(p.session.stream.payload.b); now != room {
				grown, room = grown+1, now
			}
		}
		p.feed(frame(codec.FrameUnset, fin, 1, 1))
		if want := []string{"POST /  [] <16384 bytes> full"}; !slices.Equal(p.requests, want) || grown > 8 {
			t.Fatalf("submitted %q, want %q; the buffer grew %d times", p.requests, want, grown)
		}
	})

	// Payload
	f("50 empty list of messages", after(notify(1), "ack:1:1"))
	other := message("other", 1, arg("x", str("y")))
	f("51 two messages, the first unknown", after(notify(1, other, get("/")), "ack:1:1", "GET /  [] "))
	f("52 unknown message only", after(notify(1, other), "ack:1:1"))
	t.Run("52 unknown message is counted", func(t *testing.T) {
		p := newPlayer(1 << 20)
		p.feed(join(greeting(), notify(1, other, get("/"), other)))
		if p.ignored != 2 {
			t.Fatalf("%d messages ignored, want 2", p.ignored)
		}
	})
	f("53 nb-args 0", after(notify(1, message("mirror", 0)), "ack:1:1"))
	f("54 nb-args 5, 4 present", after(notify(1, message("mirror", 3, arg("arg_method", str("GET")), arg("arg_path", str("/")))),
		"ack:1:1", "reject malformed"))
	f("55 nb-args 4, 5 present: the NOTIFY is taken whole or not at all",
		after(notify(1, message("mirror", 1, arg("arg_method", str("GET")), arg("arg_path", str("/")))), "ack:1:1", "reject malformed"))
	f("56 args in any order, extra and unnamed ones", after(notify(1, mirror(arg("", str("x")), arg("arg_path", str("/")),
		arg("later", num(codec.TypeInt64, 1<<64-1)), arg("arg_method", str("GET")))), "ack:1:1", "GET /  [] "))
	f("57 duplicate arg: the last wins", after(notify(1, mirror(arg("arg_method", str("PUT")), arg("arg_method", str("GET")),
		arg("arg_path", str("/")))), "ack:1:1", "GET /  [] "))
	f("58 NULL args",
		after(notify(1, mirror(arg("arg_method", null), arg("arg_path", null))), "ack:1:1", "   [] "),
		after(notify(1, mirror(arg("arg_method", str("GET")), arg("arg_path", str("/")), arg("arg_ver", null),
			arg("arg_hdrs", null), arg("arg_body", null), arg("arg_body_size", null))), "ack:1:1", "GET /  [] "))
	f("59 args of other types",
		after(notify(1, mirror(arg("arg_method", num(codec.TypeInt64, 1)), arg("arg_path", str("/")))), "ack:1:1", "reject malformed"),
		after(notify(1, mirror(arg("arg_path", str("/")), arg("arg_ver", boolean(true)))), "ack:1:1", "reject malformed"),
		requestWith(arg("arg_body", str("text")), "GET /  [] text"),
		requestWith(arg("arg_hdrs", str("a: 1\r\nb: 2\r\n\r\n")), "GET /  [a: 1|b: 2] "))
	f("60 types 10 to 15", requestWith(raw("x", 10), "reject malformed"), requestWith(raw("x", 15), "reject malformed"),
		requestWith(raw("arg_body", 12, 1, 'x'), "reject malformed"))
	f("61 BOOL with any flags", requestWith(join(raw("x", 0x01)), "GET /  [] "), requestWith(raw("x", 0x11), "GET /  [] "),
		requestWith(raw("x", 0xf1), "GET /  [] "))
	f("62 STR longer than the frame", requestWith(raw("arg_body", 8, 100, 'x'), "reject malformed"),
		requestWith(raw("arg_body", append([]byte{8}, codec.AppendUvarint(nil, 1<<63)...)...), "reject malformed"))
	f("63 IPV4 with 3 bytes left", requestWith(raw("x", 6, 127, 0, 0), "reject malformed"))
	f("64 message names of 0 bytes and 2 kB",
		after(notify(1, message("", 2, arg("arg_method", str("GET")), arg("arg_path", str("/")))), "ack:1:1", "GET /  [] "),
		after(notify(1, message(strings.Repeat("m", 2048), 2, arg("arg_method", str("GET")), arg("arg_path", str("/")))),
			"ack:1:1", "GET /  [] "))

	// req.hdrs_bin: what is not well-formed is marked "!" by the iterator, and
	// rejected by whoever iterates.
	f("65 no headers", headersWith("\x00\x00", "GET /  [] "))
	f("66 missing terminator", headersWith("\x01a\x011", "GET /  [!] "))
	f("67 bytes after the terminator", headersWith("\x01a\x011\x00\x00x", "GET /  [a: 1!] "))
	f("68 name or value longer than the rest", headersWith("\x05a\x00\x00", "GET /  [!] "),
		headersWith("\x01a", "GET /  [!] "), headersWith("\x01a\x09x\x00\x00", "GET /  [!] "))
	f("69 empty name with a value", headersWith("\x00\x01x\x00\x00", "GET /  [!] "))
	f("70 bytes that would smuggle reach the guard unchanged", headersWith("\x03a b\x01x\x03a:b\x03\r\n\x00\x00\x00", "GET /  [a b: x|a:b: \r\n\x00] "))
	f("71 long values", longHeader(240), longHeader(2288))
	f("72 cookies, folded text and bytes above 0x80 are kept", headersWith(strings.Repeat("\x06cookie\x03a=1", 20)+"\x01f\x04a\tb\xff\x00\x00",
		"GET /  ["+strings.Repeat("cookie: a=1|", 20)+"f: a\tb\xff] "))
	f("73 two Host fields are kept", headersWith("\x04host\x01a\x04host\x01b\x00\x00", "GET /  [host: a|host: b] "))

	// Semantics
	var urls []step
	for _, url := range []string{"/", "*", "", "http://h", "http://h?q", "https://h:8443/p?q#f", "h:443", "//x", "http://[::1]:80/"} {
		urls = append(urls, after(notify(1, get(url)), "ack:1:1", "GET "+url+"  [] "))
	}
	f("74 url in any form", urls...)
	var methods []step
	for _, m := range []string{"get", "PRI", strings.Repeat("M", 1024), "GE T"} {
		methods = append(methods, after(notify(1, mirror(arg("arg_method", str(m)), arg("arg_path", str("/")))), "ack:1:1", m+" /  [] "))
	}
	f("75 any method", methods...)
	f("76 version 2.0", requestWith(arg("arg_ver", str("2.0")), "GET / 2.0 [] "))
	f("77 body shorter than its length",
		after(notify(1, mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")),
			arg("arg_hdrs", bin("\x0econtent-length\x0530000\x00\x00")), arg("arg_body", bin(strings.Repeat("x", 15208))))),
			"ack:1:1", "POST /  [content-length: 30000] <15208 bytes> full"),
		requestWith(join(arg("arg_body", bin("x")), arg("arg_body_size", num(codec.TypeInt64, 30000))), "GET /  [] x size=30000"))
	f("78 transfer-encoding with a plain body", requestWith(join(arg("arg_hdrs", bin("\x11transfer-encoding\x07chunked\x00\x00")),
		arg("arg_body", bin("data"))), "GET /  [transfer-encoding: chunked] data"))
	f("79 hop-by-hop fields reach the filter", headersWith("\x06expect\x0c100-continue\x07upgrade\x01x\x02te\x08trailers\x00\x00",
		"GET /  [expect: 100-continue|upgrade: x|te: trailers] "))
	f("80 GET with a body", requestWith(arg("arg_body", bin("data")), "GET /  [] data"))
}

// The HELLO is a write of its own, with golden bytes.
func TestHelloBytes(t *testing.T) {
	want := vectors(t, "tx AGENT-HELLO 2.0/16380/pipelining,fragmentation")[0]
	p, w := newPlayer(1<<20), new(wake)
	p.session.feed(join(vectors(t, "rx HAPROXY-HELLO ")[1], notify(1)), w)
	if got := w.out[:w.helloLen]; !bytes.Equal(got, want) {
		t.Fatalf("the HELLO is %x, want %x", got, want)
	}
}

// Every NOTIFY that was captured is acknowledged with the golden bytes.
func TestCapturedNotifies(t *testing.T) {
	f := func(index int, request string) {
		t.Helper()
		p := newPlayer(1 << 20)
		p.feed(join(greeting(), vectors(t, "rx NOTIFY")[index]))
		if !slices.Equal(p.requests, []string{request}) {
			t.Errorf("submitted %q, want %q", p.requests, request)
		}
	}
	const common = "host: 127.0.0.1:19130|user-agent: curl/7.88.1|accept: */*"
	const form = "content-type: application/x-www-form-urlencoded"
	f(0, "GET /a?b=c 1.1 ["+common+"] ")
	f(1, "POST /post 1.1 ["+common+"|content-length: 5|"+form+"] hello")
	f(2, "PROPFIND /pf 1.1 ["+common+"] ")
	f(3, "OPTIONS * 1.1 ["+common+"] ")
	f(4, "GET http://127.0.0.1:19130/h2pk?x 2.0 ["+common+"] ")
	f(5, "POST http://127.0.0.1:19130/h2post 2.0 ["+common+"|te: trailers|content-length: 6|"+form+"|cookie: a=1; b=2] bodyh2")
	f(6, "POST /chk 1.1 ["+common+"|transfer-encoding: chunked|"+form+"] chunked-data")
	f(7, "GET /v10 1.0 ["+common+"] ")
	f(8, "POST /expect 1.1 ["+common+"|x-empty: |x-dup: 1|x-dup: 2|content-length: 6|"+form+"] abcdef")

	p := newPlayer(1 << 20)
	p.feed(join(greeting(), notify(1)))
	ack := vectors(t, "tx ACK sid=1 fid=1 unset-var")[0]
	if !bytes.HasSuffix(p.replies, ack) {
		t.Errorf("the ACK is %x, want %x", p.replies, ack)
	}
}

func TestDrainRefusesHealthChecks(t *testing.T) {
	p := newPlayer(1 << 20)
	p.session.policy.draining.Store(true)
	p.feed(vectors(t, "rx HAPROXY-HELLO healthcheck")[0])
	if got := readable(p.replies); got != "disc:13" || !p.session.policy.checked.Load() {
		t.Fatalf("a health check gets %q while draining, want disc:13", got)
	}
	p.session = newSession(p.session.policy, p.session.host)
	p.feed(join(greeting(), notify(1)))
	if got := readable(p.replies); got != "disc:13 hello:16380 ack:1:1" {
		t.Fatalf("others get %q while draining", got)
	}
}

// Frames are counted by type, whatever becomes of them.
func TestFrameCounts(t *testing.T) {
	p := newPlayer(1 << 20)
	p.feed(join(greeting(), notify(1), notify(2), frame(codec.FrameNotify, 0, 3, 1), frame(codec.FrameUnset, fin, 3, 1),
		frame(77, fin, 0, 0), frame(103, fin, 1, 1), codec.AppendHAProxyDisconnect(nil, 0), notify(4)))
	want := [frameKinds]int{kindHello: 1, kindNotify: 3, kindUnset: 1, kindDisconnect: 1, kindUnknown: 2}
	if p.frames != want {
		t.Fatalf("counted %v, want %v", p.frames, want)
	}
}

func helloWith(item []byte, replies string) step {
	return says(helloFrame(item, frameSize(16380), capabilities("pipelining")), replies)
}

func sizeWith(v codec.Value, replies string) step {
	return says(helloFrame(versions("2.0"), arg("max-frame-size", v), capabilities("")), replies)
}

// requestWith is GET / with more arguments.
func requestWith(args []byte, request string) step {
	n := byte(2)
	for b := args; len(b) > 0; n++ {
		_, _, size, err := codec.ParseArg(b)
		if err != nil {
			n++
			break
		}
		b = b[size:]
	}
	return after(notify(1, message("mirror", n, arg("arg_method", str("GET")), arg("arg_path", str("/")), args)), "ack:1:1", request)
}

func headersWith(list, request string) step { return requestWith(arg("arg_hdrs", bin(list)), request) }

func longHeader(size int) step {
	value := strings.Repeat("v", size)
	return headersWith(string(codec.AppendHeadersEnd(codec.AppendHeader(nil, "a", value))), "GET /  [a: "+value+"] ")
}

// sized is a NOTIFY whose LEN is size, with a body that fills it.
func sized(size int) []byte {
	build := func(body int) []byte {
		return notify(1, mirror(arg("arg_method", str("POST")), arg("arg_path", str("/")), arg("arg_body", bin(strings.Repeat("x", body)))))
	}
	body := size - 100
	for len(build(body)) < size+codec.LenSize {
		body++
	}
	return build(body)
}

// cutAnywhere sends payload in two fragments, and in fragments of one byte.
func cutAnywhere(payload []byte, request string) (steps []step) {
	for i := range payload {
		steps = append(steps, after(join(frame(codec.FrameNotify, 0, 1, 1, payload[:i]), frame(codec.FrameUnset, fin, 1, 1, payload[i:])),
			"ack:1:1", request))
	}
	all := frame(codec.FrameNotify, 0, 1, 1)
	for i := range payload {
		all = append(all, frame(codec.FrameUnset, 0, 1, 1, payload[i:i+1])...)
	}
	return append(steps, after(append(all, frame(codec.FrameUnset, fin, 1, 1)...), "ack:1:1", request))
}

var (
	overflow = []byte{0xff, 0xf0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0x0f}
	overlong = []byte{0xf0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}
)
