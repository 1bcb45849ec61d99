package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testLogOnFullDisk cannot read the log, so it chooses the addresses.
func testLogOnFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	admin, err := net.Listen("tcp", ownAddress())
	if err != nil {
		t.Fatal(err)
	}
	admin.Close()
	gone := startSink(t, ownAddress())
	socket := t.TempDir() + "/spop.sock"
	good, options := goodTarget(t)
	options = append(options, victimOptions(gone.addr)...)
	a := runAgent(t, append([]string{binary, "--listen", "unix:" + socket, "--admin", admin.Addr().String(), "--log-level", "debug"}, options...), full)
	a.admin, a.spop = admin.Addr().String(), "unix@"+socket
	eventually(t, "mirrorgate is ready", func() bool {
		resp, err := http.Get("http://" + a.admin + "/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	underFault(t, a, good, func(s *scene) {
		gone.signal(syscall.SIGKILL)
		s.dropped("breaker")
		s.produce()
	})
}

// testLogNotRead plays the scene twice: the log stays stuck to the end, or it is
// read again.
func testLogNotRead(t *testing.T) {
	t.Run("for ever", func(t *testing.T) {
		l := startUnread(t)
		l.play(t)
		l.stopsInTime(t)
	})
	t.Run("for a time", func(t *testing.T) {
		l := startUnread(t)
		l.play(t)
		go io.Copy(&l.log.Output, l.pipe)
		eventually(t, "the log tells of the last reload", func() bool { return len(l.log.all(reloaded)) == unreadReloads })
		l.stopsInTime(t)
		eventually(t, "the last lines", func() bool { return l.receivedAtEnd() > 0 && len(l.log.all("requests")) == 3 })
	})
}

// unread is a mirrorgate with a configuration file whose log is a pipe.
type unread struct {
	configured
	good     *recorder
	pipe, in *os.File // both ends
}

const (
	unreadDrain   = 10 * time.Second // its --drain
	unreadReloads = 5
)

func startUnread(t *testing.T) *unread {
	t.Helper()
	l := &unread{good: startRecorder(t)}
	var err error
	if l.pipe, l.in, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	l.file = filepath.Join(t.TempDir(), "m.yaml")
	l.configure(t, 1)
	l.agent = runAgent(t, []string{binary, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "json",
		"--drain", unreadDrain.String(), "--config", l.file}, l.in)
	t.Cleanup(func() { // before the agent is killed: a full pipe without a reader ends it
		l.kill()
		l.in.Close()
		l.pipe.Close()
	})
	l.pipe.SetReadDeadline(time.Now().Add(30 * time.Second))
	for some := make([]byte, 4096); l.admin == "" || l.spop == ""; {
		n, err := l.pipe.Read(some)
		if err != nil {
			t.Fatalf("%v: %s", err, l.log)
		}
		l.log.Write(some[:n])
		l.admin = l.log.attr("serving metrics", "address")
		l.spop = l.log.attr("listening for HAProxy", "address")
	}
	l.pipe.SetReadDeadline(time.Time{})
	return l
}

// configure writes the file: a good target, and a victim that is down.
func (l *unread) configure(t *testing.T, batch int) {
	l.write(t, fmt.Sprintf("target:\n- good=%s,conns=8,queue=100000,max-age=5m,timeout=1m\n- victim=http://127.0.0.1:1,batch=%d\n", l.good.url(), batch))
}

// fillPipe makes the pipe full into which w writes.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	// Opened again, so that it is for this end alone that writing does not wait.
	fd, err := syscall.Open(fmt.Sprintf("/proc/self/fd/%d", w.Fd()), syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	for size := 1 << 12; size > 0; {
		line := strings.Repeat("x", size-1) + "\n"
		if _, err := syscall.Write(fd, []byte(line)); errors.Is(err, syscall.EAGAIN) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// play has everything happen that is worth a line in the log, while nobody reads
// it.
func (l *unread) play(t *testing.T) {
	t.Helper()
	underFault(t, l.agent, l.good, func(s *scene) {
		fillPipe(t, l.in)
		for batch := 2; batch < 2+unreadReloads; batch++ {
			sendGarbage(t, l.spop, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
			sendGarbage(t, l.spop, "\x00\x00\x00\x00")
			l.configure(t, batch)
			l.process.Process.Signal(syscall.SIGHUP)
			eventually(t, "the configuration is reloaded", func() bool {
				return l.metric(`mirrorgate_target_batch_limit{target="victim"}`) == float64(batch)
			})
		}
		s.dropped("breaker")
		s.produce()
	})
	if errors := l.counters().Count("mirrorgate_spop_errors_total"); errors != 2*unreadReloads {
		t.Errorf("%d connections were ended for an error, want %d", errors, 2*unreadReloads)
	}
}

func (l *unread) stopsInTime(t *testing.T) {
	t.Helper()
	start := time.Now()
	l.stop(t)
	if took := time.Since(start); took > unreadDrain+2*time.Second {
		t.Errorf("the stop took %v", took)
	}
}
