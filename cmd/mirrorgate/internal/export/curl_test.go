package export

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCurl lets bash read the command.
func TestCurl(t *testing.T) {
	f := func(r Request, want ...string) {
		t.Helper()
		command := Curl(&r)
		out, err := exec.Command("bash", "-c", `curl() { printf '%s\0' "$@"; }; `+command).Output()
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		want = append([]string{"-sS", "-i", "-g", "--path-as-is"}, want...)
		if got := strings.ReplaceAll(string(out), "\x00", "|"); got != strings.Join(want, "|")+"|" {
			t.Errorf("%s has the arguments %q, want %q", command, got, want)
		}
		if strings.ContainsAny(command, "\x1b\n\u202e") {
			t.Errorf("it would do something to a terminal: %q", command)
		}
	}
	f(Request{Method: "GET", URL: "http://new:8080/a?b=c'd"}, "http://new:8080/a?b=c'd")
	f(Request{Method: "GET", URL: "http://new/?a[1]={b}"}, "http://new/?a[1]={b}")
	f(Request{Method: "GET", URL: "http://new/", Body: "b"}, "-X", "GET", "http://new/", "--data-raw", "b")
	f(Request{Method: "HEAD", URL: "http://new/", Body: "b"}, "--head", "http://new/")
	f(Request{Method: "PUT", URL: "http://new/", Body: "@/etc/passwd"}, "-X", "PUT", "http://new/", "--data-raw", "@/etc/passwd")
	f(Request{Method: "POST", URL: "http://new/", Header: "Host: shop\r\nContent-Length: 3\r\nX-Empty: \r\nAccept-Encoding: gzip\r\nX: a\x1b'\\\u202e\xff\r\n", Body: "{\"a\":\n1}"},
		"-X", "POST", "http://new/", "-H", "Host: shop", "-H", "X-Empty;", "--compressed", "-H", "X: a\x1b'\\\u202e\xff", "--data-raw", "{\"a\":\n1}")
}
