package e2e

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/mirrorgate/mirrorgate/bench"
)

// sinkEnv makes the test binary a target process that listens on its value.
const sinkEnv = "E2E_SINK"

// serveSink is such a process; it ends with its standard input.
func serveSink(addr string) int {
	s, err := bench.ListenSink(addr, bench.SinkOK, 0)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// ownAddress is an address of the loopback that nobody else has: whoever gives it
// up can have it again.
func ownAddress() string {
	return fmt.Sprintf("127.%d.%d.%d:0", 100+rand.IntN(100), rand.IntN(250), 1+rand.IntN(250))
}

// sinkProcess is a target in a process of its own, to be killed or stopped.
type sinkProcess struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

func startSink(t *testing.T, addr string) *sinkProcess {
	t.Helper()
	p := &sinkProcess{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), sinkEnv+"="+addr)
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.signal(syscall.SIGKILL) })
	line, _ := bufio.NewReader(out).ReadString('\n')
	p.addr = strings.TrimSpace(line)
	if _, _, err := net.SplitHostPort(p.addr); err != nil {
		t.Fatalf("the target process says %q", line)
	}
	return p
}

// signal sends a signal; one that kills is waited for.
func (p *sinkProcess) signal(s syscall.Signal) {
	_ = p.cmd.Process.Signal(s) // fails if it has gone
	if s == syscall.SIGKILL {
		_ = p.cmd.Wait()
	}
}
