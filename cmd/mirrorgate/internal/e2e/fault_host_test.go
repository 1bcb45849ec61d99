package e2e

import (
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
)

// hostFaults are those of the machine that mirrorgate runs on.
func hostFaults() []fault {
	return []fault{
		{name: "no descriptors left", injected: "`ulimit -n 256`, and 400 connections that say nothing",
			seen: "HAProxy was served all the time; everything was mirrored once", test: testNoDescriptors},
		{name: "log on a full disk", injected: "the standard error is /dev/full, at level debug, while a target fails",
			seen: "everything was mirrored once", test: testLogOnFullDisk},
		{name: "step of the wall clock", injected: "an injected clock whose wall time jumps by an hour, both ways",
			seen: "ages, time limits and rates did not notice", by: "TestClockStep"},
	}
}

func testNoDescriptors(t *testing.T) {
	good, options := goodTarget(t)
	a := startAgentBy(t, []string{"sh", "-c", `ulimit -n 256; exec "$@"`, "sh"}, options...)
	underFault(t, a, good, func(s *scene) {
		var idlers []net.Conn
		for range 400 {
			conn, err := net.Dial("tcp", a.spop)
			if err != nil {
				t.Fatal(err)
			}
			idlers = append(idlers, conn)
		}
		eventually(t, "silent connections have to go", func() bool {
			return a.counters().Count("mirrorgate_spop_connections_refused_total") > 200
		})
		s.produce()
		for _, conn := range idlers {
			conn.Close()
		}
		eventually(t, "only HAProxy's connections are left", func() bool {
			return a.counters().Count("mirrorgate_spop_connections") < 30
		})
	})
}

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
