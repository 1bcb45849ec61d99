package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProcessesThatDoNotStart(t *testing.T) {
	f := func(command, want string) {
		t.Helper()
		p, err := startProcess(command, false)
		if err != nil {
			t.Fatal(err)
		}
		defer p.stop()
		addr, err := freeAddr()
		if err != nil {
			t.Fatal(err)
		}
		err = p.awaitSPOP(t.Context(), addr, DefaultLoad, 300*time.Millisecond)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", command, err, want)
		}
	}
	f("false", "the agent died before it listened: exit status 1")
	f("sh -c 'echo one >&2; echo two >&2; exit 3'", "exit status 3; the end of its log: one | two")
	f("no-such-agent", "not found")
	f("sleep 100", "does not listen on 127.0.0.1:")
	f("sh -c 'echo not yet >&2; sleep 100'", "after 300ms; the end of its log: not yet")
}

// What a process says goes behind what nobody has read.
func TestProcessWhoseLogIsStuck(t *testing.T) {
	p, err := startProcess("sh -c 'echo hello >&2; sleep 100'", true)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	log := bufio.NewReader(p.log)
	zeros := 0
	for b, err := log.ReadByte(); b == 0; b, err = log.ReadByte() {
		if err != nil {
			t.Fatal(err)
		}
		zeros++
	}
	if line, err := log.ReadString('\n'); err != nil || line != "ello\n" || zeros == 0 {
		t.Errorf("%d bytes, then %q, %v", zeros, line, err)
	}
}

func TestProcessThatListensButDoesNotSpeakSPOP(t *testing.T) {
	p, err := startProcess("sleep 100", false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	err = p.awaitSPOP(t.Context(), ackAgent{hangUpAfter: 1}.start(t), DefaultLoad, startTimeout)
	if err == nil || !strings.Contains(err.Error(), "cannot shake hands with the agent") {
		t.Errorf("got %v", err)
	}
}

func TestCancelEndsTheWaitForAnAgent(t *testing.T) {
	p, err := startProcess("sleep 100", false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.awaitSPOP(ctx, "127.0.0.1:1", DefaultLoad, time.Hour); err == nil {
		t.Error("no error")
	}
}

// A shell that stays in front of its child stands for any agent of several
// processes.
func TestStopEndsTheWholeGroup(t *testing.T) {
	p, err := startProcess("sh -c 'sleep 100 & wait'", false)
	if err != nil {
		t.Fatal(err)
	}
	group := p.cmd.Process.Pid
	if _, err := p.usage(); err != nil {
		t.Error(err)
	}
	p.stop()
	for begin := time.Now(); syscall.Kill(-group, 0) != syscall.ESRCH; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the group lives on")
		}
	}
	if _, err := p.usage(); err == nil {
		t.Error("a group that has ended has no usage")
	}
}

func TestUsageCountsChildren(t *testing.T) {
	p, err := startProcess("sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 100'", false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	for begin := time.Now(); ; time.Sleep(pollEvery) {
		u, err := p.usage()
		if err != nil {
			t.Fatal(err)
		}
		if u.cpu >= 5*clockTick && u.peakRSS > 100<<10 {
			return
		}
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("got %+v", u)
		}
	}
}

func TestParseStat(t *testing.T) {
	f := func(stat string, group int, cpu time.Duration) {
		t.Helper()
		g, c, err := parseStat([]byte(stat))
		if err != nil || g != group || c != cpu {
			t.Errorf("%q: group %d, %s, %v", stat, g, c, err)
		}
	}
	f("7 (sh) S 1 5 7 0 -1 0 0 0 0 0 1 2 3 4 20 0", 5, 100*time.Millisecond)
	f("7 (a ) b) S 1 6 7 0 -1 0 0 0 0 0 100 0 0 0 20 0", 6, time.Second)
	for _, stat := range []string{"", "7 (sh) S 1 5", "7 (sh) S 1 x 7 0 -1 0 0 0 0 0 1 2 3 4 20"} {
		if _, _, err := parseStat([]byte(stat)); err == nil {
			t.Errorf("%q: no error", stat)
		}
	}
}

func TestParsePeak(t *testing.T) {
	f := func(status string, want uint64) {
		t.Helper()
		if got := parsePeak([]byte(status)); got != want {
			t.Errorf("%q: got %d", status, got)
		}
	}
	f("Name:\tsh\nVmHWM:\t    1684 kB\nVmRSS:\t 12 kB\n", 1684<<10)
	f("Name:\tsh\n", 0)
}

func TestLogTail(t *testing.T) {
	var w logTail
	for i := range 1000 {
		fmt.Fprintf(&w, "line %d\n", i)
	}
	if got := w.String(); got != "line 995 | line 996 | line 997 | line 998 | line 999" {
		t.Errorf("got %q", got)
	}
}

func TestFreeAddr(t *testing.T) {
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}
