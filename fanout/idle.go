package fanout

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// idleTime is how long a connection is kept without work, in nanoseconds.
const idleTime = int64(30 * time.Second)

// putIdle makes connections idle. t.mu is held.
func (t *target) putIdle(conns []*conn, now int64) {
	for _, c := range conns {
		c.idleSince = now
		if c.restUntil > now {
			t.idle = slices.Insert(t.idle, 0, c)
		} else {
			t.idle = append(t.idle, c)
		}
	}
}

// putIdle makes the worker's connections idle. t.mu is held.
func (w *worker) putIdle(now int64) {
	w.t.putIdle(w.conns, now)
	w.t.putIdle(w.resting, now)
	clear(w.conns)
	clear(w.resting)
	w.conns, w.resting = w.conns[:0], w.resting[:0]
}

// popIdle returns the idle connection that was used last, nil if there is none
// that may be used. t.mu is held.
func (t *target) popIdle(now int64) *conn {
	last := len(t.idle) - 1
	if last < 0 || t.idle[last].restUntil > now {
		return nil
	}
	c := t.idle[last]
	t.idle[last] = nil
	t.idle = t.idle[:last]
	return c
}

// restTime returns how long it is until a connection may be used, in nanoseconds,
// if there may be no more and all that are idle rest behind a HEAD. t.mu is held.
func (t *target) restTime(now int64) int64 {
	last := len(t.idle) - 1
	if last < 0 || t.open < t.cfg.Conns || t.work(now) == 0 {
		return 0
	}
	return t.idle[last].restUntil - now
}

// removeIdle takes the idle connections out for which that is true. t.mu is held.
func (t *target) removeIdle(which func(*conn) bool) (taken []*conn) {
	t.idle = slices.DeleteFunc(t.idle, func(c *conn) bool {
		if which(c) {
			taken = append(taken, c)
			return true
		}
		return false
	})
	return taken
}

// check closes those of the worker's connections that have ended, or go where the
// target is no more, or on which something came that nobody asked for.
func (w *worker) check() {
	w.sockets = w.sockets[:0]
	for _, c := range w.conns {
		w.sockets = append(w.sockets, c.socket)
	}
	w.polled = quiet(w.sockets, w.polled)
	clear(w.sockets)
	kept := w.conns[:0]
	for i, c := range w.conns {
		came, ended := c.look(w.polled[i].Revents != 0)
		if came && c.behindHead {
			w.t.headWithBody()
		}
		if came || ended || c.moved() {
			c.close()
			continue
		}
		c.behindHead = false
		kept = append(kept, c)
	}
	clear(w.conns[len(kept):])
	w.conns = kept
}

// look reports what came on an idle connection: bytes, or its end. The socket has
// been asked whether anything did; TLS may hold some that it read before. Session
// tickets are taken, for they do no harm (RFC 8446 section 4.6.1).
func (c *conn) look(stirred bool) (came, ended bool) {
	if c.plain() {
		return stirred && c.hasBytes(), stirred
	}
	if !stirred && c.drained {
		return false, false
	}
	var b [1]byte
	n, err := c.stream.Read(b[:])
	c.drained = isTimeout(err)
	return n > 0, !c.drained
}

// hasBytes reports whether something else than the end has come.
func (c *conn) hasBytes() bool {
	n, err := 0, error(nil)
	_ = c.socket.raw.Control(func(fd uintptr) { n, err = peek(fd) })
	return n > 0 && err == nil
}

// headWithBody notes that the target sends bodies in response to HEAD (RFC 9110
// section 9.3.2 forbids it): from now on a connection is closed behind each.
func (t *target) headWithBody() {
	if !t.closeHeads.Swap(true) {
		t.log.Warn("target sends bodies in response to HEAD: closing its connections behind each",
			"target", t.cfg.Name, "until", "the next reload")
	}
}

// quiet asks with one system call for all of the sockets what there is to read:
// no event means that neither bytes nor an end came. The result is in buf.
func quiet(sockets []*socket, buf []unix.PollFd) []unix.PollFd {
	buf = buf[:0]
	for _, s := range sockets {
		buf = append(buf, unix.PollFd{Fd: s.fd, Events: unix.POLLIN | unix.POLLRDHUP})
	}
	for {
		if _, err := unix.Poll(buf, 0); err != unix.EINTR {
			return buf
		}
	}
}
