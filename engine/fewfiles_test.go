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
	"strings"
	"syscall"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

// childEnv makes the test binary a server with few descriptors: its value is
// the limit, and how many files it has open that nobody reckoned with.
const childEnv = "MIRRORGATE_TEST_FEW_FILES"

// child serves until its standard input ends.
func child(setting string) int {
	var files uint64
	var taken int
	if _, err := fmt.Sscan(setting, &files, &taken); err != nil {
		panic(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: files, Max: files}); err != nil {
		panic(err)
	}
	s, err := Listen(Config{Listen: []string{"127.0.0.1:0"}, Mirror: new(recorder),
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
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Close(context.Background())
	fmt.Println("closed")
	return 0
}

// serveInChild runs a child, and run with the address that it serves.
func serveInChild(t *testing.T, setting string, run func(net.Addr)) {
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
	run(addr)
}

// Whoever does not shake hands cannot keep others out by taking descriptors.
func TestFewDescriptors(t *testing.T) {
	served := func(c *client) {
		c.t.Helper()
		c.send(notify(1, get("/")))
		c.expect("ack:1:1")
	}
	greet := func(t *testing.T, addr net.Addr) *client {
		for {
			c := dial(t, addr)
			c.send(greeting())
			switch word := c.next(); word {
			case "hello:16380":
				return c
			case "reset", "EOF": // there was no descriptor left: HAProxy tries again
			default:
				t.Fatalf("the agent says %q", word)
			}
		}
	}
	f := func(name, setting string, silent int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			serveInChild(t, setting, func(addr net.Addr) {
				early := greet(t, addr)
				for range silent {
					dial(t, addr)
				}
				late := greet(t, addr)
				served(early)
				served(late)
			})
		})
	}
	f("ulimit -n 256", "256 0", 500)
	f("no descriptors left", "256 200", 100)
}
