package e2e

import (
	"net"
	"testing"
)

// hostFaults are those of the machine that mirrorgate runs on.
func hostFaults() []fault {
	return []fault{
		{name: "no descriptors left", injected: "`ulimit -n 256`, and 400 connections that say nothing",
			seen: "HAProxy was served all the time; everything was mirrored once", test: testNoDescriptors},
		{name: "log on a full disk", injected: "the standard error is /dev/full, at level debug, while a target fails",
			seen: "everything was mirrored once", test: testLogOnFullDisk},
		{name: "log that nobody reads", injected: "the standard error is a full pipe, while peers send garbage, a target fails, and the configuration is reloaded",
			seen: "everything was acknowledged and mirrored once; a stop took no longer than `--drain` and 2 s; read again, the log went on", test: testLogNotRead},
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
