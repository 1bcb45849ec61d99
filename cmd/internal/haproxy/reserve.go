package haproxy

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// Reserve returns a free address of the loopback for StartAt. Until release is
// called nobody else gets it: what is bound to it does not listen, and HAProxy
// binds beside it by SO_REUSEPORT, or another server by SO_REUSEADDR.
func Reserve() (addr string, release func(), err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("cannot reserve a port: %w", err)
	}
	port, err := bindLoopback(fd)
	if err != nil {
		unix.Close(fd)
		return "", nil, fmt.Errorf("cannot reserve a port: %w", err)
	}
	addr = (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()
	return addr, func() { unix.Close(fd) }, nil
}

func bindLoopback(fd int) (port int, err error) {
	for _, option := range []int{unix.SO_REUSEPORT, unix.SO_REUSEADDR} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return 0, err
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	return name.(*unix.SockaddrInet4).Port, nil
}
