package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// What is mirrored, and what the options hold, shows nowhere but at the targets:
// not in the log, not on any page, not in the arguments of the process. Each
// secret of this test has the word in it.
func TestNoSecretShows(t *testing.T) {
	const word = "xyzzy"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(word+"-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MIRRORGATE_SET_HEADER", "X-Api-Key: "+word+"-environment")
	target := startRecorder(t)
	a := startAgent(t, "--target", "good="+target.url(), "--target", "garbage=http://"+garbageServer(t, word),
		"--target", "refused=http://127.0.0.1:1", "--admin-token-file", file, "--log-level", "debug")

	conn := a.spopConn()
	headers := func(fields ...string) codec.Headers {
		var raw []byte
		for i := 0; i < len(fields); i += 2 {
			raw = codec.AppendHeader(raw, fields[i], fields[i+1])
		}
		return codec.Headers{Raw: codec.AppendHeadersEnd(raw)}
	}
	request := func(h codec.Headers) codec.Request {
		return codec.Request{Method: []byte("GET"), Target: []byte("http://user:" + word + "@h/?t=" + word), Version: []byte("1.1"),
			Headers: h, Body: []byte(word), BodySize: -1}
	}
	out := codec.AppendHAProxyHello(nil, codec.Hello{MaxFrameSize: 16380, Pipelining: true, EngineID: []byte(word)})
	for i, h := range []codec.Headers{
		headers("authorization", "Bearer "+word, "cookie", "session="+word),
		headers("authorization", "Bearer "+word+"\r\nx: y"),
		headers("authorization "+word, "x"),
		headers("content-length", "10000", "cookie", word),
		{Raw: []byte("cookie " + word), Text: true},
	} {
		out = codec.AppendNotify(out, uint64(i), 1, request(h))
	}
	out = append(out, word+" is no frame"...)
	if _, err := conn.Write(out); err != nil {
		t.Fatal(err)
	}
	ask := func(path, password string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, "http://"+a.admin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("user", password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	eventually(t, "all has happened", func() bool {
		_, page := ask("/metrics", word+"-token")
		for _, line := range []string{`mirrorgate_target_responses_total{target="good",code="2xx"} 1`, `mirrorgate_target_errors_total{target="garbage",kind="protocol"} 1`,
			`mirrorgate_target_dropped_total{target="refused",reason="dial"} 1`, `mirrorgate_requests_rejected_total{reason="malformed"} 3`,
			`mirrorgate_spop_errors_total{code="3"} 1`} {
			if !strings.Contains(page, line+"\n") {
				return false
			}
		}
		return true
	})
	if r := target.all()[0]; r.header("X-Api-Key") != word+"-environment" || r.header("authorization") != "Bearer "+word {
		t.Errorf("the target got %q", r)
	}
	arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", a.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	look := func(where, text string) {
		t.Helper()
		if i := strings.Index(text, word); i >= 0 {
			t.Errorf("%s has a secret: %.200q", where, text[max(i-100, 0):])
		}
	}
	look("the list of processes", string(arguments))
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/api/targets", "/api/stats", "/api/history", "/api/differences",
		"/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/debug/pprof/symbol"} {
		status, page := ask(path, word+"-token")
		if status == http.StatusUnauthorized {
			t.Errorf("%s refuses the token", path)
		}
		look(path, page)
		_, page = ask(path, word+"-guess")
		look(path, page)
	}
	a.kill()
	look("the log", a.log.String())
}

// garbageServer answers every connection with a word that is not HTTP.
func garbageServer(t *testing.T, word string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = ln.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1000))
			_, _ = io.WriteString(conn, word+": no status line\r\n\r\n")
			_ = conn.Close()
		}
	}()
	return ln.Addr().String()
}

// A wrong option is named, but what may be a secret in it is not repeated.
func TestErrorsHideSecrets(t *testing.T) {
	const word = "xyzzy"
	f := func(want string, env []string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, env, args...)
		if code != exitUsage || !strings.Contains(stderr, want) || strings.Contains(stdout+stderr, word) {
			t.Errorf("%q %q: exit code %d, %s%s", env, args, code, stdout, stderr)
		}
	}
	const target = "--target=http://127.0.0.1:1"
	for _, url := range []string{"http://user:" + word + "@h", "http://" + word + "@h:1", "http://user:" + word + "/" + word + "@h",
		"http://user:" + word + "@h:99999", "http://user:%zz" + word + "@h", "ftp://user:" + word + "@h", "http://user:" + word + "@h?q"} {
		f("--target", nil, "--target", url)
		f("--target", nil, "--target", "a="+url+",weight=x")
		f("--target", []string{"MIRRORGATE_TARGET=" + url})
		f("://...@", nil, target, url)
	}
	f("--set-header", nil, target, "--set-header", "Authorization Bearer "+word)
	f("--set-header", nil, target, "--set-header", "Authorization Bearer "+word+":x")
	f("--set-header", nil, target, "--set-header", "Authorization: "+word+"\x01")
	f("--set-header", []string{"MIRRORGATE_SET_HEADER=Authorization Bearer " + word}, target)
	f("--set-header", []string{"MIRRORGATE_SET_HEADER=Authorization: x\nBearer " + word}, target)

	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("one "+word), 0o600); err != nil {
		t.Fatal(err)
	}
	f("--admin-token-file", nil, target, "--admin-token-file", file)
}
