package http2

import "encoding/binary"

// readHeaders takes HEADERS (RFC 9113 section 6.2).
func (c *Conn) readHeaders(h header, p []byte) (Event, error) {
	if h.flags&flagPadded != 0 {
		if len(p) == 0 {
			return nothing, ErrFrameSize
		}
		padding := int(p[0])
		if p = p[1:]; padding > len(p) {
			return nothing, ErrPadding
		}
		p = p[:len(p)-padding]
	}
	if h.flags&flagPriority != 0 {
		if len(p) < 5 {
			return nothing, ErrFrameSize
		}
		p = p[5:]
	}
	if _, err := c.find(h.stream); err != nil {
		return nothing, err
	}
	if h.flags&flagEndHeaders == 0 {
		c.block = openBlock{stream: h.stream, end: h.flags&flagEndStream != 0, b: append([]byte(nil), p...)}
		return nothing, nil
	}
	return c.headers(h.stream, p, h.flags&flagEndStream != 0)
}

// readContinuation takes CONTINUATION (RFC 9113 section 6.10).
func (c *Conn) readContinuation(h header, p []byte) (Event, error) {
	if len(c.block.b)+len(p) > MaxBlock {
		return nothing, ErrHeaderTooLarge
	}
	c.block.b = append(c.block.b, p...)
	if h.flags&flagEndHeaders == 0 {
		return nothing, nil
	}
	open := c.block
	c.block = openBlock{}
	return c.headers(open.stream, open.b, open.end)
}

// headers takes a whole header block: of an interim response, of the final one, or
// trailers (RFC 9113 section 8.1).
func (c *Conn) headers(id uint32, block []byte, end bool) (Event, error) {
	slot, _ := c.find(id)
	trailers := slot >= 0 && c.streams[slot].status != 0
	m := &c.heads
	if trailers {
		m = &c.trailers
	}
	block, info, ok, err := c.decode(m, block)
	if err != nil || slot < 0 { // it was cancelled
		return nothing, err
	}
	s := &c.streams[slot]
	interim := !trailers && info.status >= 100 && info.status < 200
	switch {
	case !ok || trailers != (info.status == 0) || trailers && !end || interim && (end || info.status == 101):
		return c.malformed(slot), nil
	case interim:
		return nothing, nil
	}
	c.idle = 0
	ev := Event{Slot: slot, Status: int(info.status), GRPC: int(info.grpc), Block: block}
	if !trailers {
		s.status = info.status
	}
	if end {
		c.done(slot, &ev)
	}
	return ev, nil
}

// done ends a stream whose response is complete. The rest of its request need not
// be sent (RFC 9113 section 8.1).
func (c *Conn) done(slot int, ev *Event) {
	ev.End = StreamDone
	if len(c.streams[slot].body) > 0 {
		c.reset(slot, Cancel)
		return
	}
	c.free(slot)
}

func (c *Conn) malformed(slot int) Event {
	c.reset(slot, ProtocolError)
	return Event{Slot: slot, GRPC: NoGRPCStatus, End: StreamMalformed}
}

// startData takes what stands in front of the data of a DATA frame
// (RFC 9113 section 6.1).
func (c *Conn) startData(b []byte, h header) (n int, ev Event, err error) {
	n = frameHeader
	padding := 0
	if h.flags&flagPadded != 0 {
		if h.length == 0 {
			return 0, nothing, ErrFrameSize
		}
		if len(b) == n {
			return 0, nothing, nil
		}
		padding = int(b[n])
		n++
		if padding >= h.length {
			return 0, nothing, ErrPadding
		}
	}
	slot, err := c.find(h.stream)
	if err != nil {
		return 0, nothing, err
	}
	if int64(h.length) > c.receive {
		return 0, nothing, ErrFlowControl
	}
	c.receive -= int64(h.length)
	if c.receive < connWindow/2 {
		c.out = appendWindowUpdate(c.out, 0, connWindow-c.receive)
		c.receive = connWindow
	}
	c.data = dataFrame{left: h.length - (n - frameHeader), padding: padding, slot: slot, end: h.flags&flagEndStream != 0}
	if c.data.left <= padding && !c.data.end {
		c.idle++
	}
	if slot < 0 {
		return n, nothing, nil
	}
	s := &c.streams[slot]
	s.left -= int64(h.length)
	switch {
	case s.status == 0:
		return n, c.malformed(slot), nil
	case s.left < 0:
		c.reset(slot, FlowControlError)
		return n, Event{Slot: slot, GRPC: NoGRPCStatus, End: StreamMalformed}, nil
	case s.left == 0 && !s.whole && !c.data.end:
		c.reset(slot, Cancel)
		return n, Event{Slot: slot, GRPC: NoGRPCStatus, End: StreamCut}, nil
	case s.left < StreamWindow/2 && s.whole && !c.data.end:
		c.out = appendWindowUpdate(c.out, h.stream, StreamWindow-s.left)
		s.left = StreamWindow
	}
	if c.data.left == 0 {
		return n, c.endData(), nil
	}
	return n, nothing, nil
}

// readData takes what is there of a DATA frame that has begun.
func (c *Conn) readData(b []byte) (n int, ev Event) {
	d := &c.data
	n = min(len(b), d.left)
	body := min(n, max(0, d.left-d.padding))
	slot := d.slot
	wanted := slot >= 0 && body > 0 && c.streams[slot].data
	if slot >= 0 && body > 0 {
		c.idle = 0
	}
	d.left -= n
	ev = nothing
	if d.left == 0 {
		ev = c.endData()
	}
	if wanted {
		ev.Slot, ev.Data = slot, b[:body]
	}
	return n, ev
}

// endData is the end of a DATA frame.
func (c *Conn) endData() Event {
	slot := c.data.slot
	end := c.data.end
	c.data = dataFrame{slot: -1}
	if slot < 0 || !end {
		return nothing
	}
	ev := Event{Slot: slot, GRPC: NoGRPCStatus}
	c.idle = 0
	c.done(slot, &ev)
	return ev
}

// readReset takes RST_STREAM (RFC 9113 section 6.4).
func (c *Conn) readReset(h header, p []byte) (Event, error) {
	if len(p) != 4 {
		return nothing, ErrFrameSize
	}
	slot, err := c.find(h.stream)
	if slot < 0 {
		return nothing, err
	}
	c.idle = 0
	ev := Event{Slot: slot, GRPC: NoGRPCStatus, End: StreamReset, Code: ErrCode(binary.BigEndian.Uint32(p))}
	if ev.Code == RefusedStream {
		ev.End = StreamUnprocessed
	}
	c.free(slot)
	return ev, nil
}
