package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// listener is what net listens with, over TCP and on unix sockets.
type listener interface {
	net.Listener
	SetDeadline(time.Time) error
}

// listenAll binds all addresses, or none.
func listenAll(addrs []string) ([]listener, error) {
	var listeners []listener
	for _, addr := range addrs {
		ln, err := listen(addr)
		if err != nil {
			for _, ln := range listeners {
				_ = ln.Close()
			}
			return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
		}
		listeners = append(listeners, ln)
	}
	return listeners, nil
}

func listen(addr string) (listener, error) {
	a, err := parseAddress(addr)
	if err != nil {
		return nil, err
	}
	if a.network == "unix" {
		if err := removeStale(a.at); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen(a.network, a.at)
	if err != nil {
		return nil, cause(err)
	}
	if err := a.permit(); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return ln.(listener), nil
}

// CheckAddress returns what is wrong with an address of Config.Listen, as far as
// it shows without binding it.
func CheckAddress(addr string) error {
	a, err := parseAddress(addr)
	switch {
	case err != nil:
	case a.network == "tcp":
		_, err = net.ResolveTCPAddr("tcp", a.at)
	default:
		if _, err = socketAt(a.at); err == nil {
			_, err = os.Stat(filepath.Dir(a.at))
		}
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", addr, cause(err))
	}
	return nil
}

var (
	errNotSocket = errors.New("the file exists and is not a socket")
	errAnswered  = errors.New("another process answers on this socket")
)

// removeStale removes a socket that nobody listens on, which is what a process
// that was killed leaves behind, and nothing else.
func removeStale(path string) error {
	exists, err := socketAt(path)
	if err != nil || !exists {
		return err
	}
	peer, err := net.Dial("unix", path)
	if err == nil {
		_ = peer.Close()
		return errAnswered
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return cause(err)
	}
	return cause(os.Remove(path))
}

// socketAt reports whether there is a socket; it is an error if there is
// something else.
func socketAt(path string) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, cause(err)
	case info.Mode().Type() != fs.ModeSocket:
		return false, errNotSocket
	}
	return true, nil
}

// cause strips what net and os put around an error: the line that names the
// address is ours.
func cause(err error) error {
	var errno syscall.Errno
	var addr *net.AddrError
	var op *net.OpError
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &addr):
		return errors.New(addr.Err)
	case errors.As(err, &op):
		return op.Err
	}
	return err
}
