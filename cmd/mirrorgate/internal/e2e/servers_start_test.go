//go:build servers

package e2e

import (
	"crypto/sha1"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// server is a real server with its application, until the test ends.
type server struct {
	addr string
	log  string // what the application appends a line to for each request, see arrivals
}

// startServer runs the command line of a server, in a folder of its own with the
// files of testdata/servers; url is how that of the target begins. In both %ADDR% and %PORT% are where it is to listen,
// %DIR% is the folder, %LOG% the log, and %APPLICATION% (with its %APPHOST% and
// %APPPORT%) an application for servers that have none themselves.
func startServer(t *testing.T, command, url string) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{log: filepath.Join(dir, "arrivals.log")}
	if command != "" {
		url = "" // of the application behind it
	}
	application := startApplication(t, s.log, url)
	if command == "" {
		s.addr = application
		return s
	}
	addr, release, err := haproxy.Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	s.addr = addr
	_, port, _ := net.SplitHostPort(addr)
	appHost, appPort, _ := net.SplitHostPort(application)
	fill := strings.NewReplacer("%ADDR%", addr, "%PORT%", port, "%DIR%", dir, "%LOG%", s.log,
		"%APPLICATION%", application, "%APPHOST%", appHost, "%APPPORT%", appPort)
	writeServerFiles(t, dir, fill)
	runServer(t, dir, addr, strings.Fields(fill.Replace(command)))
	return s
}

func writeServerFiles(t *testing.T, dir string, fill *strings.Replacer) {
	t.Helper()
	files, err := filepath.Glob("testdata/servers/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no files for the servers: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(fill.Replace(string(b))), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// runServer runs a command until the test ends, and waits until it listens.
func runServer(t *testing.T, dir, addr string, command []string) {
	t.Helper()
	output := new(haproxy.Output)
	p := exec.Command(command[0], command[1:]...)
	p.Dir, p.Stdout, p.Stderr = dir, output, output
	// Some have children; all are to go with this process.
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.Start(); err != nil {
		t.Fatalf("%v - make test-servers installs what is needed", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = p.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
		<-ended
		if t.Failed() {
			t.Logf("%s: %s", command[0], output)
		}
	})
	eventually(t, command[0]+" listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", command[0], output)
		default:
		}
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// startApplication serves with Go's net/http what testdata/servers/app.py does.
func startApplication(t *testing.T, log, url string) (addr string) {
	t.Helper()
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it did not arrive
		}
		id := r.Header.Get("X-Id")
		fmt.Fprintf(file, "%s %s %s %d %x\n", r.Method, r.URL.Path, id, len(body), sha1.Sum(body))
		w.Header().Set("X-Id", id)
		w.WriteHeader(statusOf(r.URL.Path))
		io.WriteString(w, id)
	}))
	switch url {
	case "h2c://":
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	case "https://":
		s.EnableHTTP2 = true
		s.StartTLS()
	default:
		s.Start()
	}
	t.Cleanup(func() {
		s.Close()
		file.Close()
	})
	return s.Listener.Addr().String()
}

// arrivals returns the lines in the log, by the request's id.
func (s *server) arrivals(t *testing.T) map[int][]string {
	t.Helper()
	b, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[int][]string{}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		id := 0 // of what is no request of ours
		if len(fields) == 5 {
			id, _ = strconv.Atoi(fields[2])
		}
		lines[id] = append(lines[id], strings.TrimSpace(line))
	}
	return lines
}
