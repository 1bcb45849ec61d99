package http2

import "encoding/binary"

// readSettings takes SETTINGS (RFC 9113 section 6.5).
func (c *Conn) readSettings(h header, p []byte) error {
	if h.stream != 0 {
		return ErrStreamID
	}
	if h.flags&flagAck != 0 {
		if len(p) != 0 {
			return ErrFrameSize
		}
		return nil
	}
	if len(p)%6 != 0 {
		return ErrFrameSize
	}
	if !c.settled {
		c.settled, c.allowed = true, maxStreamID
	}
	for ; len(p) > 0; p = p[6:] {
		if err := c.set(binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])); err != nil {
			return err
		}
	}
	c.out = appendHeader(c.out, 0, frameSettings, flagAck, 0)
	return nil
}

// set follows a setting of the peer. What it says of header tables and of the size
// of header lists is advice to encoders that have a choice.
func (c *Conn) set(id uint16, value uint32) error {
	switch id {
	case settingEnablePush:
		if value != 0 {
			return ErrSetting
		}
	case settingMaxStreams:
		c.allowed = int(min(value, maxStreamID))
	case settingInitialWindow:
		if value > maxWindow {
			return ErrWindow
		}
		return c.setInitialWindow(int64(value))
	case settingMaxFrame:
		if value < minMaxFrame || value > maxMaxFrame {
			return ErrSetting
		}
		c.maxFrame = int(value)
	}
	return nil
}

// setInitialWindow moves the windows of all streams, which may make them negative
// (RFC 9113 section 6.9.2).
func (c *Conn) setInitialWindow(value int64) error {
	change := value - c.initialWindow
	c.initialWindow = value
	c.released = c.released || change > 0
	for i := range c.streams {
		s := &c.streams[i]
		if s.id == 0 {
			continue
		}
		if s.window += change; s.window > maxWindow {
			return ErrWindow
		}
	}
	return nil
}

// readPing takes PING (RFC 9113 section 6.7).
func (c *Conn) readPing(h header, p []byte) error {
	if h.stream != 0 {
		return ErrStreamID
	}
	if len(p) != 8 {
		return ErrFrameSize
	}
	if h.flags&flagAck == 0 {
		c.out = appendHeader(c.out, len(p), framePing, flagAck, 0)
		c.out = append(c.out, p...)
	}
	return nil
}

// maxDebug is how many bytes of what GOAWAY says are kept.
const maxDebug = 128

// readGoaway takes GOAWAY (RFC 9113 section 6.8). A target may first announce its
// end and then say again, lower, what it did not process.
func (c *Conn) readGoaway(h header, p []byte) error {
	if h.stream != 0 {
		return ErrStreamID
	}
	if len(p) < 8 {
		return ErrFrameSize
	}
	c.goaway = true
	c.last = min(c.last, binary.BigEndian.Uint32(p)&maxStreamID)
	c.code = ErrCode(binary.BigEndian.Uint32(p[4:]))
	debug := p[8:]
	c.debug = append(c.debug[:0], debug[:min(len(debug), maxDebug)]...)
	c.swept = 0
	return nil
}

// sweep gives back the next stream that GOAWAY says was not processed.
func (c *Conn) sweep() Event {
	if !c.goaway {
		return nothing
	}
	for ; c.swept < len(c.streams); c.swept++ {
		if c.streams[c.swept].id > c.last {
			c.free(c.swept)
			return Event{Slot: c.swept, GRPC: NoGRPCStatus, End: StreamUnprocessed}
		}
	}
	return nothing
}

// readWindowUpdate takes WINDOW_UPDATE (RFC 9113 section 6.9).
func (c *Conn) readWindowUpdate(h header, p []byte) (Event, error) {
	if len(p) != 4 {
		return nothing, ErrFrameSize
	}
	n := int64(binary.BigEndian.Uint32(p) & maxWindow)
	if h.stream == 0 {
		if n == 0 {
			return nothing, ErrIncrement
		}
		if c.window += n; c.window > maxWindow {
			return nothing, ErrWindow
		}
		c.released = true
		return nothing, nil
	}
	slot, err := c.find(h.stream)
	if slot < 0 {
		return nothing, err
	}
	s := &c.streams[slot]
	if n == 0 {
		return c.malformed(slot), nil
	}
	if s.window += n; s.window > maxWindow {
		c.reset(slot, FlowControlError)
		return Event{Slot: slot, GRPC: NoGRPCStatus, End: StreamMalformed}, nil
	}
	c.released = true
	return nothing, nil
}

// checkPriority checks PRIORITY, which says nothing any more (RFC 9113 section
// 6.3).
func checkPriority(h header) error {
	if h.stream == 0 {
		return ErrStreamID
	}
	if h.length != 5 {
		return ErrFrameSize
	}
	return nil
}
