package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// doctorFinds runs the command on files in a directory of their own, which the
// paths in them are relative to.
func doctorFinds(t *testing.T, files map[string]string, options ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(inheritedBind.ReplaceAllString(text, "bind 127.0.0.1:80")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr = mirrorgate(t, nil, append([]string{"doctor", "--haproxy-config", filepath.Join(dir, "haproxy.cfg")}, options...)...)
	return code, strings.ReplaceAll(stdout, dir+"/", ""), strings.ReplaceAll(stderr, dir+"/", "")
}

// inheritedBind matches a socket that only a test hands to HAProxy.
var inheritedBind = regexp.MustCompile(`bind +fd@\S+`)

// What config haproxy prints, the doctor has nothing to say against, down to the
// handshake with the agents.
func TestDoctorOfPrintedConfig(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "spop")
	a := startAgent(t, "--listen", "unix:"+socket, "--target", "http://127.0.0.1:1")
	f := func(options ...string) {
		t.Helper()
		files := printedConfig(t, "127.0.0.1:1", append(options, "--agents", a.spop+",unix:"+socket)...)
		code, stdout, stderr := doctorFinds(t, files, "--max-body", "64k")
		if code != 0 || stdout != "haproxy.cfg: nothing to fix\n" || stderr != "" {
			t.Errorf("%q: exit code %d, want 0\n%s%s", options, code, stdout, stderr)
		}
	}
	for _, event := range []string{"--event=request", "--event=response"} {
		f(event, "--max-body=64k")
		f(event, "--max-body=64k", "--steer", "--sample=10%", "--methods=POST")
	}
}

// A configuration without bodies is one that somebody may want.
func TestDoctorOfPrintedConfigWithoutBodies(t *testing.T) {
	for _, event := range []string{"--event=request", "--event=response"} {
		files := printedConfig(t, "127.0.0.1:1", event, "--no-body", "--agents=127.0.0.1:1")
		code, stdout, stderr := doctorFinds(t, files, "--no-connect")
		want := "spoe.cfg:" + lineNumber(t, files["spoe.cfg"], "args arg_method") + ": note: without arg_body requests that declare a body " +
			"are dropped as no_body, or go out without it with --truncated send; append arg_body=req.body if bodies shall be mirrored\n" +
			"haproxy.cfg: nothing to fix\n"
		if code != 0 || stdout != want || stderr != "" {
			t.Errorf("%s: exit code %d, want 0\n%s%swant\n%s", event, code, stdout, stderr, want)
		}
	}
}

func TestDoctorBites(t *testing.T) {
	config := printedConfig(t, "127.0.0.1:1", "--agents=127.0.0.1:1")
	f := func(old, new string, wantCode int, wantOut, wantErr string) {
		t.Helper()
		files := map[string]string{"spoe.cfg": strings.Replace(config["spoe.cfg"], old, new, 1), "haproxy.cfg": config["haproxy.cfg"]}
		code, stdout, stderr := doctorFinds(t, files, "--no-connect")
		if code != wantCode || stdout != wantOut || stderr != wantErr {
			t.Errorf("exit code %d and\n%s%swant %d and\n%s%s", code, stdout, stderr, wantCode, wantOut, wantErr)
		}
	}
	const notes = "spoe.cfg:%d: note: that a chunked body was cut is not seen; append arg_body_size=req.body_size\n"
	number := func(text string) string { return lineNumber(t, config["spoe.cfg"], text) }
	f(" arg_body_size=req.body_size", "", 0, strings.Replace(notes, "%d", number("args arg_method"), 1)+"haproxy.cfg: nothing to fix\n", "")
	f("processing 20ms", "processing 5s", 1,
		"spoe.cfg:"+number("processing 20ms")+": requests wait 5s for an agent that has died, until HAProxy has noticed; 20ms is plenty: timeout processing 20ms\n",
		"mirrorgate: haproxy.cfg: 1 to fix\n")
}

// lineNumber returns where text stands.
func lineNumber(t *testing.T, file, text string) string {
	t.Helper()
	before, _, found := strings.Cut(file, text)
	if !found {
		t.Fatalf("%q is not in\n%s", text, file)
	}
	return strconv.Itoa(strings.Count(before, "\n") + 1)
}

// doctor FILE, with mirrorgate's own configuration and HAProxy's own opinion.
func TestDoctorOfFiles(t *testing.T) {
	dir := t.TempDir()
	config := printedConfig(t, "127.0.0.1:8081", "--agents=127.0.0.1:1")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(inheritedBind.ReplaceAllString(text, "bind 127.0.0.1:80")), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("spoe.cfg", config["spoe.cfg"])
	sound := write("haproxy.cfg", config["haproxy.cfg"])
	broken := write("broken.cfg", config["haproxy.cfg"]+"\nbackend more\n    balence leastconn\n")
	staging := write("staging.yml", "target: v2=http://127.0.0.1:9\n")
	production := write("production.yml", "target: v2=http://127.0.0.1:8081\n")
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, append([]string{"doctor", "--no-connect"}, args...)...)
		if code != wantCode || !strings.Contains(stdout+stderr, want) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", args, code, wantCode, want, stdout, stderr)
		}
	}
	f(0, "haproxy.cfg: nothing to fix", sound)
	f(0, "haproxy.cfg: nothing to fix", sound, "--config", staging)
	f(exitFailed, "target v2 (http://127.0.0.1:8081) is production's server", sound, "--config", production)
	f(exitFailed, "HAProxy refuses it: unknown keyword 'balence'", broken)
	f(exitUsage, "cannot read configuration", sound, "--config", dir+"/none.yml")
}
