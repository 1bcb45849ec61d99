package fanout

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// knownTime is how exact the time of a response is without the kernel's stamp,
// in nanoseconds.
const knownTime = int64(200 * time.Microsecond)

// socket is the TCP connection below a conn. While it waits it is like any
// net.Conn, for the TLS handshake. Otherwise it never does: Read returns
// os.ErrDeadlineExceeded, which TLS takes for a pause, and what the kernel does
// not take of a Write is kept until flush. One goroutine uses it at a time; Close
// may be called by any.
type socket struct {
	streamConn
	*common
	raw  syscall.RawConn
	fd   int32       // for poll(2), which does no harm should it be closed meanwhile
	stop func() bool // keeps it from being closed when its target is aborted

	waits  bool
	parked bool // its goroutine left the processors to wait
	unsent []byte

	// The arguments and results of the system calls below, which are made by
	// functions that exist once for each socket: closures would be allocated for
	// each call.
	buf       []byte
	lender    *buffers
	borrow    *[]byte // what buf is borrowed for when something can be read
	offset    int     // in it
	n         int
	err       error
	since     int64 // when nothing had arrived yet, see common.now
	at        int64 // when it was read
	arrived   int64 // when it arrived, in nanoseconds since 1970; 0 if unknown
	stamping  recvmsg
	receiving func(fd uintptr)
	awaiting  func(fd uintptr) bool
	sending   func(fd uintptr)
}

// streamConn is a connection over TCP or a unix socket.
type streamConn interface {
	net.Conn
	syscall.Conn
}

func newSocket(shared *common, c streamConn, stop func() bool) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &socket{streamConn: c, common: shared, raw: raw, stop: stop, waits: true}
	s.receiving = s.receive
	s.awaiting = s.receiveOrWait
	s.sending = func(fd uintptr) {
		s.n, s.err = ignoringEINTR(func() (int, error) { return syscall.Write(int(fd), s.buf) })
	}
	return s, raw.Control(func(fd uintptr) {
		s.fd = int32(fd)
		// Without it times are those of the read, which is as good on an idle host.
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	})
}

// Close closes the connection. It may be called more than once.
func (s *socket) Close() error {
	s.stop()
	return s.streamConn.Close()
}

// Read reads what is there.
func (s *socket) Read(b []byte) (int, error) {
	if s.waits {
		return s.streamConn.Read(b)
	}
	s.buf = b
	if err := s.raw.Control(s.receiving); err != nil {
		s.err = err
	}
	return s.received()
}

// await is Read, but waits until the read deadline for something to be there.
// Without b it only waits.
func (s *socket) await(b []byte) (int, error) {
	s.buf = b
	if err := s.raw.Read(s.awaiting); err != nil {
		s.err = err
	}
	s.unpark()
	return s.received()
}

// awaitBorrowed is await behind the first offset bytes of a buffer that is borrowed
// for b, of those, only when something is there.
func (s *socket) awaitBorrowed(from *buffers, b *[]byte, offset int) (int, error) {
	s.lender, s.borrow, s.offset = from, b, offset
	n, err := s.await(nil)
	s.borrow = nil
	return n, err
}

func (s *socket) received() (int, error) {
	n, err := s.n, s.err
	s.buf, s.n, s.err = nil, 0, nil
	switch {
	case err == unix.EAGAIN:
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// receiveOrWait reports whether there was something to read, an error included.
func (s *socket) receiveOrWait(fd uintptr) bool {
	s.unpark()
	if s.borrow != nil {
		s.lender.acquire(s.borrow)
		s.buf = (*s.borrow)[s.offset:]
	}
	s.receive(fd)
	if s.err != unix.EAGAIN {
		return true
	}
	if s.borrow != nil {
		s.lender.release(s.borrow)
	}
	s.parked = true
	s.processors.release()
	return false
}

// unpark is the end of a wait.
func (s *socket) unpark() {
	if s.parked {
		s.parked = false
		s.processors.acquire()
	}
}

// receive reads once, with the time of arrival if that is not known well.
func (s *socket) receive(fd uintptr) {
	s.arrived, s.at = 0, s.now()
	if s.buf == nil {
		s.n, s.err = peek(fd)
		return
	}
	if s.at-s.since <= knownTime {
		s.n, s.err = ignoringEINTR(func() (int, error) { return syscall.Read(int(fd), s.buf) })
		return
	}
	m := &s.stamping
	m.parts.Base = &s.buf[0]
	m.parts.SetLen(len(s.buf))
	m.header.Iov, m.header.Iovlen = &m.parts, 1
	m.header.Control = &m.control[0]
	s.n, s.err = ignoringEINTR(func() (int, error) {
		m.header.SetControllen(len(m.control))
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&m.header)), unix.MSG_DONTWAIT)
		if errno != 0 {
			return 0, errno
		}
		return int(n), nil
	})
	m.parts.Base = nil
	if s.err == nil {
		s.arrived = timestamp(m.control[:m.header.Controllen])
	}
}

// recvmsg is what recvmsg(2) takes, with room for a time. The function of that
// name in package unix allocates it each time.
type recvmsg struct {
	header  unix.Msghdr
	parts   unix.Iovec
	control [64]byte
}

// peek is a read of one byte that leaves it where it is.
func peek(fd uintptr) (int, error) {
	var b [1]byte
	return ignoringEINTR(func() (int, error) {
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return n, err
	})
}

func ignoringEINTR(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// timestamp returns the time in a control message of SO_TIMESTAMPNS, 0 if there
// is none: a struct timespec (socket(7)).
func timestamp(control []byte) int64 {
	if len(control) == 0 {
		return 0
	}
	header, data, _, err := unix.ParseOneSocketControlMessage(control)
	if err != nil || header.Type != unix.SCM_TIMESTAMPNS || len(data) < 16 {
		return 0
	}
	seconds := int64(binary.NativeEndian.Uint64(data))
	return seconds*int64(time.Second) + int64(binary.NativeEndian.Uint64(data[8:]))
}

// Write sends b, and keeps what the kernel does not take.
func (s *socket) Write(b []byte) (int, error) {
	if s.waits {
		return s.streamConn.Write(b)
	}
	n, err := s.send(b)
	if err != nil {
		return n, err
	}
	s.unsent = append(s.unsent, b[n:]...)
	return len(b), nil
}

// send writes what the kernel takes of b now.
func (s *socket) send(b []byte) (n int, err error) {
	if len(s.unsent) > 0 {
		return 0, nil
	}
	s.buf = b
	if err = s.raw.Control(s.sending); err == nil {
		n, err = s.n, s.err
	}
	s.buf, s.n, s.err = nil, 0, nil
	if err == unix.EAGAIN {
		err = nil
	}
	return n, err
}

// ackNow acknowledges what came: a peer with more to send may wait for that
// (Nagle's algorithm, RFC 896).
func (s *socket) ackNow() {
	_ = s.raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
}

// flush writes what Write kept, until the write deadline.
func (s *socket) flush() error {
	_, err := s.streamConn.Write(s.unsent)
	s.unsent = nil
	return err
}
