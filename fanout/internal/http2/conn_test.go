package http2

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is the other end of a Conn: frames by golang.org/x/net/http2.
type peer struct {
	*http2.Framer
	out bytes.Buffer // what it sends
	enc *hpack.Encoder
	hdr bytes.Buffer
}

func newPeer() *peer {
	p := &peer{}
	p.Framer = http2.NewFramer(&p.out, nil)
	p.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.hdr)
	p.enc.SetMaxDynamicTableSize(0)
	return p
}

// block encodes "name: value" fields.
func (p *peer) block(fields ...string) []byte {
	p.hdr.Reset()
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		p.enc.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return bytes.Clone(p.hdr.Bytes())
}

func (p *peer) headers(stream uint32, end bool, fields ...string) {
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: p.block(fields...), EndStream: end, EndHeaders: true})
}

// eventText says what happened.
func eventText(ev Event) string {
	s := fmt.Sprintf("%d:", ev.Slot)
	if ev.Status != 0 {
		s += fmt.Sprintf(" %d", ev.Status)
	}
	if ev.GRPC != NoGRPCStatus {
		s += fmt.Sprintf(" grpc=%d", ev.GRPC)
	}
	if len(ev.Data) > 0 {
		s += fmt.Sprintf(" data=%q", ev.Data)
	}
	switch ev.End {
	case StreamDone:
		s += " done"
	case StreamReset:
		s += " reset " + ev.Code.String()
	case StreamUnprocessed:
		s += " unprocessed"
	case StreamMalformed:
		s += " malformed"
	case StreamCut:
		s += " cut"
	}
	return s
}

// readAll gives a Conn what came, cut into pieces that end at cuts, and returns
// what happened; data that came in pieces counts as one.
func readAll(c *Conn, b []byte, cuts ...int) (events []string, err error) {
	begin := 0
	for _, end := range append(cuts, len(b)) {
		for {
			n, ev, err := c.Read(b[begin:end])
			if n < 0 || n > end-begin {
				panic(fmt.Sprintf("took %d of %d bytes", n, end-begin))
			}
			begin += n
			if err != nil {
				return events, err
			}
			if ev.Slot < 0 {
				break
			}
			events = append(events, eventText(ev))
		}
		if end-begin >= MaxRest {
			panic(fmt.Sprintf("left %d bytes", end-begin))
		}
	}
	return events, nil
}

// start returns a Conn with so many GETs on streams 1, 3, 5 in slots 0, 1, 2, and
// bodies of so many bytes if there are any.
func start(t testing.TB, requests, body int) *Conn {
	t.Helper()
	c := NewConn(8)
	p := newPeer()
	p.WriteSettings()
	if events, err := readAll(c, p.out.Bytes()); err != nil || events != nil {
		t.Fatal(events, err)
	}
	for i := range requests {
		_, slot := c.AppendRequest(make([]byte, 0, 1<<20), &Request{
			Method: []byte("GET"), Path: []byte("/"), Body: make([]byte, body), Data: i == 2,
		})
		if slot != i {
			t.Fatalf("request %d has slot %d", i, slot)
		}
	}
	c.out = nil
	return c
}

func TestResponses(t *testing.T) {
	f := func(name string, send func(p *peer), want string) {
		t.Helper()
		for cut := range 3 {
			p := newPeer()
			send(p)
			c := start(t, 3, 0)
			var cuts []int
			for at := cut; cut > 0 && at < p.out.Len(); at += cut {
				cuts = append(cuts, at)
			}
			events, err := readAll(c, p.out.Bytes(), cuts...)
			got := strings.Join(events, "; ")
			if err != nil {
				got = strings.TrimPrefix(got+"; ", "; ") + err.Error()
			}
			if got != want {
				t.Errorf("%s, cut after each %d: got %s, want %s", name, cut, got, want)
			}
		}
	}
	f("a response without a body", func(p *peer) { p.headers(1, true, ":status: 204") }, "0: 204 done")
	f("one with a body, in two frames", func(p *peer) {
		p.headers(3, false, ":status: 200", "server: x")
		p.WriteData(3, false, []byte("hello"))
		p.WriteData(3, true, []byte("world"))
	}, "1: 200; 1: done")
	f("an end without data", func(p *peer) {
		p.headers(1, false, ":status: 503")
		p.WriteData(1, true, nil)
	}, "0: 503; 0: done")
	f("codes that are no static field", func(p *peer) {
		p.headers(1, true, ":status: 201")
		p.headers(3, true, ":status: 999")
		p.headers(5, true, ":status: 418", "x: y")
	}, "0: 201 done; 1: 999 done; 2: 418 done")
	f("out of order", func(p *peer) {
		p.headers(5, true, ":status: 200")
		p.headers(1, true, ":status: 404")
	}, "2: 200 done; 0: 404 done")
	f("interim responses", func(p *peer) {
		p.headers(1, false, ":status: 103", "link: x")
		p.headers(1, false, ":status: 100")
		p.headers(1, true, ":status: 200")
	}, "0: 200 done")
	f("101", func(p *peer) { p.headers(1, false, ":status: 101") }, "0: malformed")
	f("an interim response that ends the stream", func(p *peer) { p.headers(1, true, ":status: 100") }, "0: malformed")
	f("trailers", func(p *peer) {
		p.headers(1, false, ":status: 200")
		p.WriteData(1, false, []byte("x"))
		p.headers(1, true, "x-sum: 1")
	}, "0: 200; 0: done")
	f("trailers that do not end the stream", func(p *peer) {
		p.headers(1, false, ":status: 200")
		p.headers(1, false, "x-sum: 1")
	}, "0: 200; 0: malformed")
	f("gRPC", func(p *peer) {
		p.headers(1, false, ":status: 200", "content-type: application/grpc")
		p.WriteData(1, false, []byte("\x00\x00\x00\x00\x01x"))
		p.headers(1, true, "grpc-status: 0")
		p.headers(3, true, ":status: 200", "grpc-status: 14", "grpc-message: x")
		p.headers(5, true, ":status: 200", "grpc-status: x14")
	}, "0: 200; 0: grpc=0 done; 1: 200 grpc=14 done; 2: 200 grpc=-2 done")
	f("padding and priority", func(p *peer) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(":status: 200"), EndHeaders: true,
			PadLength: 7, Priority: http2.PriorityParam{StreamDep: 3, Weight: 9}})
		p.WriteDataPadded(1, true, []byte("ab"), make([]byte, 255))
	}, "0: 200; 0: done")
	f("CONTINUATION", func(p *peer) {
		b := p.block(":status: 200", "x-long: "+strings.Repeat("x", 20))
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:3], EndStream: true})
		p.WriteContinuation(1, false, nil)
		p.WriteContinuation(1, false, b[3:9])
		p.WriteContinuation(1, true, b[9:])
	}, "0: 200 done")
	f("PING, SETTINGS, PRIORITY, an unknown frame", func(p *peer) {
		p.WritePing(false, [8]byte{1})
		p.WritePing(true, [8]byte{1})
		p.WriteSettings(http2.Setting{ID: 99, Val: 1})
		p.WriteSettingsAck()
		p.WritePriority(77, http2.PriorityParam{Weight: 1})
		p.WriteRawFrame(0x42, 0xff, 12, []byte("abc"))
		p.headers(1, true, ":status: 200")
	}, "0: 200 done")
	f("RST_STREAM", func(p *peer) {
		p.WriteRSTStream(1, http2.ErrCodeInternal)
		p.WriteRSTStream(3, http2.ErrCodeRefusedStream)
		p.WriteRSTStream(1, http2.ErrCodeInternal)
		p.headers(1, true, ":status: 200")
		p.WriteData(3, true, []byte("late"))
	}, "0: reset INTERNAL_ERROR; 1: unprocessed")
	f("RST_STREAM of NO_ERROR behind an early response", func(p *peer) {
		p.headers(1, true, ":status: 413")
		p.WriteRSTStream(1, http2.ErrCodeNo)
	}, "0: 413 done")
	f("GOAWAY", func(p *peer) {
		p.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil)
		p.WriteGoAway(1, http2.ErrCodeNo, []byte("bye"))
		p.headers(1, true, ":status: 200")
	}, "1: unprocessed; 2: unprocessed; 0: 200 done")
	f("DATA before the response", func(p *peer) {
		p.WriteData(1, false, []byte("x"))
		p.headers(3, true, ":status: 200")
	}, "0: malformed; 1: 200 done")
	f("no :status", func(p *peer) { p.headers(1, true, "x: y") }, "0: malformed")
	f(":status behind a field", func(p *peer) { p.headers(1, true, "x: y", ":status: 200") }, "0: malformed")
	f("two", func(p *peer) { p.headers(1, true, ":status: 200", ":status: 200") }, "0: malformed")
	f("another pseudo-header field", func(p *peer) { p.headers(1, true, ":status: 200", ":path: /") }, "0: malformed")
	f("an unknown one", func(p *peer) { p.headers(1, true, ":status: 200", ":x: /") }, "0: malformed")
	f("a code that is none", func(p *peer) { p.headers(1, true, ":status: 99") }, "0: malformed")
	f("WINDOW_UPDATE of 0 on a stream", func(p *peer) { p.WriteWindowUpdate(1, 0) }, "0: malformed")
	f("a window that is too large", func(p *peer) { p.WriteWindowUpdate(1, 1<<31-1) }, "0: malformed")

	f("WINDOW_UPDATE of 0", func(p *peer) { p.WriteWindowUpdate(0, 0) }, ErrIncrement.Error())
	f("the window of the connection", func(p *peer) { p.WriteWindowUpdate(0, 1<<31-1) }, ErrWindow.Error())
	f("an initial window", func(p *peer) { p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31}) }, ErrWindow.Error())
	f("a frame size", func(p *peer) { p.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 100}) }, ErrSetting.Error())
	f("push", func(p *peer) { p.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1}) }, ErrSetting.Error())
	f("PUSH_PROMISE", func(p *peer) {
		p.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: p.block(":path: /"), EndHeaders: true})
	}, ErrPush.Error())
	f("a stream that never was", func(p *peer) { p.headers(99, true, ":status: 200") }, ErrStreamID.Error())
	f("one of the server's", func(p *peer) { p.WriteData(2, true, nil) }, ErrStreamID.Error())
	f("HEADERS on the connection", func(p *peer) { p.headers(0, true, ":status: 200") }, ErrStreamID.Error())
	f("SETTINGS on a stream", func(p *peer) { p.WriteRawFrame(http2.FrameSettings, 0, 1, nil) }, ErrStreamID.Error())
	f("SETTINGS of 5 bytes", func(p *peer) { p.WriteRawFrame(http2.FrameSettings, 0, 0, make([]byte, 5)) }, ErrFrameSize.Error())
	f("PING of 7 bytes", func(p *peer) { p.WriteRawFrame(http2.FramePing, 0, 0, make([]byte, 7)) }, ErrFrameSize.Error())
	f("a frame of 16 KiB and 1", func(p *peer) { p.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 1<<14+1)) }, ErrFrameSize.Error())
	f("padding", func(p *peer) { p.WriteRawFrame(http2.FrameData, flagPadded, 1, []byte{1}) }, ErrPadding.Error())
	f("CONTINUATION of nothing", func(p *peer) { p.WriteContinuation(1, true, nil) }, ErrFrameOrder.Error())
	f("a block that is interrupted", func(p *peer) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(":status: 200")})
		p.WritePing(false, [8]byte{})
	}, ErrFrameOrder.Error())
	f("a dynamic table that nobody filled", func(p *peer) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88, 0x80 | 62}, EndHeaders: true})
	}, ErrCompression.Error())
	f("a dynamic table behind its end", func(p *peer) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x20, 0x88}, EndStream: true, EndHeaders: true})
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x88, 0x80 | 62}, EndHeaders: true})
	}, "0: 200 done; "+ErrDynamicTable.Error())
	f("a dynamic table though there should be none", func(p *peer) {
		p.enc = hpack.NewEncoder(&p.hdr)
		for i := range 3 {
			p.headers(uint32(2*i+1), true, ":status: 418", "grpc-status: 14", "x: y")
		}
	}, "0: 418 grpc=14 done; 1: 418 grpc=14 done; 2: 418 grpc=14 done")
	f("one that fills behind streams that are over", func(p *peer) {
		p.enc = hpack.NewEncoder(&p.hdr)
		p.WriteRSTStream(1, http2.ErrCodeCancel)
		p.headers(1, true, ":status: 418", "x: y")
		p.headers(3, true, ":status: 418", "x: y")
	}, "0: reset CANCEL; 1: 418 done")
	f("a block that is cut", func(p *peer) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88, 0, 5, 'a'}, EndHeaders: true})
	}, ErrCompression.Error())
	f("a flood of PING", func(p *peer) {
		for range 5000 {
			p.WritePing(false, [8]byte{})
		}
	}, ErrFlood.Error())
	f("of SETTINGS", func(p *peer) {
		for range 5000 {
			p.WriteSettings()
		}
	}, ErrFlood.Error())
	f("of empty DATA", func(p *peer) {
		p.headers(1, false, ":status: 200")
		for range 10_001 {
			p.WriteData(1, false, nil)
		}
		p.WritePing(true, [8]byte{})
	}, "0: 200; "+ErrFlood.Error())
	f("of interim responses", func(p *peer) {
		for range 10_001 {
			p.headers(1, false, ":status: 103")
		}
	}, ErrFlood.Error())
	f("a header block without end", func(p *peer) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.block(":status: 200")})
		for range 5 {
			p.WriteContinuation(1, false, make([]byte, 1<<14))
		}
	}, ErrHeaderTooLarge.Error())
}

func TestFirstFrame(t *testing.T) {
	f := func(name, sent string, want error) {
		t.Helper()
		c := NewConn(8)
		if c.Room() != 1 {
			t.Errorf("room for %d before the peer's SETTINGS, want 1", c.Room())
		}
		if _, err := readAll(c, []byte(sent)); err != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	p := newPeer()
	p.WritePing(false, [8]byte{})
	f("PING", p.out.String(), ErrNoSettings)
	p.out.Reset()
	p.WriteSettingsAck()
	f("an acknowledgement", p.out.String(), ErrNoSettings)
	f("HTTP/1.1", "HTTP/1.1 400 Bad Request\r\n\r\n", ErrNotHTTP2)
	f("the start of it", "HTTP/1", ErrNotHTTP2)
	f("another protocol", "220 smtp.example ESMTP", ErrNoSettings)
	p.out.Reset()
	p.WriteSettings()
	f("SETTINGS", p.out.String(), nil)
}

func TestRoomFollowsSettings(t *testing.T) {
	c := start(t, 3, 0)
	f := func(value uint32, want int) {
		t.Helper()
		p := newPeer()
		p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: value})
		if _, err := readAll(c, p.out.Bytes()); err != nil {
			t.Fatal(err)
		}
		if got := c.Room(); got != want {
			t.Errorf("%d streams allowed, 3 open: room for %d, want %d", value, got, want)
		}
	}
	f(1<<32-1, 5)
	f(4, 1)
	f(0, 0)
	f(100, 5)
}

// TestControl sees what a peer is told.
func TestControl(t *testing.T) {
	f := func(name string, body int, send func(p *peer, c *Conn), want ...string) {
		t.Helper()
		c := start(t, 3, body)
		p := newPeer()
		send(p, c)
		if _, err := readAll(c, p.out.Bytes()); err != nil {
			t.Fatal(err)
		}
		got := frames(t, c.AppendControl(nil))
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f("PING", 0, func(p *peer, _ *Conn) { p.WritePing(false, [8]byte{1, 2}) }, "PING ack 0102000000000000")
	f("SETTINGS", 0, func(p *peer, _ *Conn) { p.WriteSettings() }, "SETTINGS ack")
	f("a cancelled stream", 0, func(_ *peer, c *Conn) { c.Cancel(1) }, "RST_STREAM 3 CANCEL")
	f("a malformed response", 0, func(p *peer, _ *Conn) { p.headers(5, true, "x: y") }, "RST_STREAM 5 PROTOCOL_ERROR")
	f("an early response", 100_000, func(p *peer, _ *Conn) { p.headers(1, true, ":status: 413") }, "RST_STREAM 1 CANCEL")
	f("a body without end", 0, func(p *peer, _ *Conn) {
		p.headers(1, false, ":status: 200")
		for range StreamWindow >> 14 {
			p.WriteData(1, false, make([]byte, 1<<14))
		}
	}, "RST_STREAM 1 CANCEL")
	f("more than the window of a stream", 0, func(p *peer, _ *Conn) {
		p.headers(1, false, ":status: 200")
		for range StreamWindow>>14 - 1 {
			p.WriteData(1, false, make([]byte, 1<<14))
		}
		p.WriteData(1, false, make([]byte, 1<<14-1))
		p.WriteData(1, true, make([]byte, 2))
	}, "RST_STREAM 1 FLOW_CONTROL_ERROR")
	f("a window of the connection that is half used", 0, func(p *peer, c *Conn) {
		c.receive = connWindow/2 + 10
		p.headers(1, false, ":status: 200")
		p.WriteData(1, false, make([]byte, 11))
	}, fmt.Sprintf("WINDOW_UPDATE 0 %d", connWindow/2+1))
	f("a long body that is wanted whole", 0, func(p *peer, c *Conn) {
		c.streams[0].whole = true
		p.headers(1, false, ":status: 200")
		for range 2 * StreamWindow >> 14 {
			p.WriteData(1, false, make([]byte, 1<<14))
		}
	}, "WINDOW_UPDATE 1 540672", "WINDOW_UPDATE 1 540672", "WINDOW_UPDATE 1 540672")
}

// frames reads what a Conn wrote.
func frames(t testing.TB, b []byte) (got []string) {
	t.Helper()
	fr := http2.NewFramer(nil, bytes.NewReader(b))
	for {
		frame, err := fr.ReadFrame()
		if err != nil {
			return got
		}
		h := frame.Header()
		switch fm := frame.(type) {
		case *http2.PingFrame:
			got = append(got, fmt.Sprintf("PING ack %x", fm.Data))
		case *http2.SettingsFrame:
			got = append(got, "SETTINGS ack")
		case *http2.RSTStreamFrame:
			got = append(got, fmt.Sprintf("RST_STREAM %d %v", h.StreamID, fm.ErrCode))
		case *http2.WindowUpdateFrame:
			got = append(got, fmt.Sprintf("WINDOW_UPDATE %d %d", h.StreamID, fm.Increment))
		default:
			got = append(got, fmt.Sprintf("%v %d", h.Type, h.StreamID))
		}
	}
}

// TestStreamIDs sees that slots are found again whatever is still open, and that
// the ids end.
func TestStreamIDs(t *testing.T) {
	c := start(t, 1, 0) // stream 1 stays open
	p := newPeer()
	r := &Request{Method: []byte("GET"), Path: []byte("/")}
	for range 1000 {
		p.out.Reset()
		_, slot := c.AppendRequest(nil, r)
		if slot == 0 {
			t.Fatal("slot 0 is in use")
		}
		p.headers(c.streams[slot].id, true, ":status: 200")
		if events, err := readAll(c, p.out.Bytes()); err != nil || len(events) != 1 || events[0] != fmt.Sprintf("%d: 200 done", slot) {
			t.Fatal(events, err)
		}
	}
	if c.Open() != 1 || c.Ending() {
		t.Fatalf("%d streams are open, ending %v", c.Open(), c.Ending())
	}
	c.nextID = maxStreamID - 2*uint32(c.Slots()) + 2
	if !c.Ending() || c.Room() != 0 {
		t.Errorf("the ids have run out, but there is room for %d", c.Room())
	}
}
