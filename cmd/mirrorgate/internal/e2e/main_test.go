package e2e

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// binary is mirrorgate as users run it, built with the race detector.
var binary string

// coverEnv names the directory for what the binary covers, see make cover. It is
// not GOCOVERDIR because go test gives the tests one of their own.
const coverEnv = "E2E_COVER"

// program is the package of mirrorgate.
const program = "github.com/mirrorgate/mirrorgate/cmd/mirrorgate"

// What mirrorgate ends with, besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

// proxyVersion is that of the haproxy on PATH.
var proxyVersion haproxy.Version

func TestMain(m *testing.M) {
	if addr := os.Getenv(sinkEnv); addr != "" {
		os.Exit(serveSink(addr))
	}
	os.Exit(testAll(m))
}

func testAll(m *testing.M) int {
	// Each mirrorgate would sleep for a second at its end.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=10")
	var err error
	if proxyVersion, err = haproxy.Installed(); err != nil {
		fmt.Println(err, "- install it, on Debian with: apt-get install haproxy")
		return 1
	}
	dir, err := os.MkdirTemp("", "mirrorgate-test-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("GOCOVERDIR", cmp.Or(os.Getenv(coverEnv), dir))
	binary = filepath.Join(dir, "mirrorgate")
	// What runs for each request is covered by tests of its own, and would be so
	// slow with counters besides the race detector that health checks time out.
	build := exec.Command("go", "build", "-race", "-cover", "-coverpkg", program+"/...", "-o", binary, "-ldflags", "-X main.version=v1.2.3-test", program)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("cannot build mirrorgate: %v\n%s", err, out)
		return 1
	}
	return runAndCheckGoroutines(m)
}

// runAndCheckGoroutines fails if one outlives the tests, but for those of gnet's
// pool and of fasthttp's dialer, which live as long as the process, and for the
// one with which a client of the tests looks for idle connections every 10 s.
func runAndCheckGoroutines(m *testing.M) int {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	err := goleak.Find(goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*TCPDialer).tcpAddrsClean"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"))
	if code == 0 && err != nil {
		fmt.Println(err)
		return 1
	}
	return code
}

// withoutRaceDetector makes binary one that needs no more memory than users see,
// until the test ends.
func withoutRaceDetector(t *testing.T) {
	t.Helper()
	raced, plain := binary, filepath.Join(t.TempDir(), "mirrorgate")
	if out, err := exec.Command("go", "build", "-o", plain, program).CombinedOutput(); err != nil {
		t.Fatalf("cannot build mirrorgate: %v\n%s", err, out)
	}
	binary = plain
	t.Cleanup(func() { binary = raced })
}

// eventually waits until the condition holds, with a deadline that only a
// failure meets.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 seconds still not: %s", what)
		}
	}
}
