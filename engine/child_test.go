package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// childEnv makes the test binary a server of its own. Its value says how many
// files that may have open (0: as many as the test), how many it has open that
// nobody reckoned with, and its Config.Memory in MiB.
const childEnv = "MIRRORGATE_TEST_CHILD"

// usage is what a child holds, garbage included unless it was collected.
type usage struct{ heap, held, conns int } // bytes, bytes of its budget, connections

// child serves until its standard input ends, and says what it holds for each
// line of that, after a collection if the line says so.
func child(setting string) int {
	var files uint64
	var taken, memory int
	if _, err := fmt.Sscan(setting, &files, &taken, &memory); err != nil {
		panic(err)
	}
	if files > 0 {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: files, Max: files}); err != nil {
			panic(err)
		}
	}
	s, err := Listen(Config{Listen: []string{"127.0.0.1:0"}, Memory: int64(memory) << 20, FrameTimeout: time.Hour, Mirror: new(recorder),
		Metrics: metrics.NewSet(), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		panic(err)
	}
	for range taken {
		if _, err := syscall.Dup(0); err != nil {
			panic(err)
		}
	}
	fmt.Println(s.Addrs()[0])
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "collect" {
			heap()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Println(m.HeapAlloc, s.policy.memory.held.Load(), s.registry.len())
	}
	s.Close(context.Background())
	fmt.Println("closed")
	return 0
}

// serveInChild runs a child, and run with the address that it serves and a function
// that asks it what it holds.
func serveInChild(t *testing.T, setting string, run func(addr net.Addr, ask func(line string) usage)) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+setting)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	defer func() {
		_ = stdin.Close()
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); err != nil || string(rest) != "closed\n" {
			t.Errorf("the server ended with %v after %q", err, rest)
		}
	}()
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr, err := net.ResolveTCPAddr("tcp", strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	run(addr, func(line string) (u usage) {
		if _, err := fmt.Fprintln(stdin, line); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscanln(lines, &u.heap, &u.held, &u.conns); err != nil {
			t.Fatal(err)
		}
		return u
	})
}
