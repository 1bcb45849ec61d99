package e2e

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
	"github.com/mirrorgate/mirrorgate/codec"
)

// loggedStatus matches the code in a line as the reference shows it.
var loggedStatus = regexp.MustCompile(`SPOE: \[mirror\] <EVENT:on-frontend-http-request> sid=\d+ st=(\d+) `)

// referenceCodes returns the codes of the reference's table and what they mean for the HAProxy
// that is tested; empty if it has no such code.
func referenceCodes(t *testing.T) map[string]string {
	t.Helper()
	_, table, found := strings.Cut(document(t, referenceFile), "| st | HAProxy up to 3.0 | 3.1 and later | fix |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("the reference has no table of st codes")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	codes := make(map[string]string)
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		meaning := cells[2]
		if proxyVersion.Mux() {
			meaning = cells[3]
		}
		codes[strings.TrimSpace(cells[1])] = strings.Trim(meaning, " –")
	}
	return codes
}

// What the reference says of each code that HAProxy logs is what leads to it.
func TestHAProxyStatusCodes(t *testing.T) {
	nothing := func(codec.Frame) []byte { return nil }
	onNotify := func(reply func(f codec.Frame) []byte, goOn bool) func(conn net.Conn, f codec.Frame) bool {
		return func(conn net.Conn, f codec.Frame) bool {
			if f.Type == codec.FrameHAProxyHello {
				return greet(conn, f)
			}
			conn.Write(reply(f))
			return goOn
		}
	}
	disconnect := func(status codec.Status) func(codec.Frame) []byte {
		return func(codec.Frame) []byte { return codec.AppendAgentDisconnect(nil, status) }
	}
	codes := referenceCodes(t)
	f := func(name, means string, handle func(conn net.Conn, f codec.Frame) bool, upTo30, since31 string, change ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := printedConfig(t, startRecorder(t).addr(), "--agents", startScriptedAgent(t, handle))
			for file, text := range files {
				files[file] = strings.NewReplacer(append(change, " if mirror-agent-up", "")...).Replace(text)
			}
			listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			h, err := haproxy.Start(context.Background(), files, listener)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(h.Stop)
			if status, _ := sendRaw(t, listener.Addr().String(), "GET / HTTP/1.1\r\nHost: example.com\r\nX-Long: "+strings.Repeat("x", 1000)+"\r\n\r\n"); status != http.StatusOK {
				t.Errorf("production answered %d", status)
			}
			var logged []string
			eventually(t, "HAProxy has logged the failure", func() bool {
				logged = loggedStatus.FindStringSubmatch(h.Output().String())
				return logged != nil
			})
			want := upTo30
			if proxyVersion.Mux() {
				want = since31
			}
			if logged[1] != want {
				t.Errorf("HAProxy logged st=%s, want %s", logged[1], want)
			}
			if !strings.Contains(codes[want], means) {
				t.Errorf("the reference says %q of st=%s, want %q", codes[want], want, means)
			}
		})
	}
	patient := []string{"processing 20ms", "processing 10s"}
	silent := func(net.Conn, codec.Frame) bool { return true }
	f("no ACK", "no ACK within", onNotify(nothing, true), "1", "1")
	f("no HELLO", "no ACK within", silent, "1", "1")
	f("no agent", "no server is up", silent, "2", "257", append(patient, "default-server  check", "default-server  disabled check")...)
	f("too large", "larger than a frame", silent, "3", "3", append(patient, "option      var-prefix", "max-frame-size 256\n    no option send-frag-payload\n    option      var-prefix")...)
	f("closed", "connection broke", onNotify(nothing, false), "257", "257", patient...)
	f("goodbye", "the agent said goodbye", onNotify(disconnect(codec.StatusNormal), true), "256", "257", patient...)
	f("an error of the agent", "status 13", onNotify(disconnect(codec.StatusResource), true), "269", "269", patient...)
}
