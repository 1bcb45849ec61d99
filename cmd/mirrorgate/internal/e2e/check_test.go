package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// inFile writes a configuration file in a directory of its own, which becomes
// the current one, so that messages do not depend on where it is.
func inFile(t *testing.T, text string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("m.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var sheetLineForm = regexp.MustCompile(`^(.*?) +# (.*)$`)

// checked runs the check and returns what is in force and where it comes from,
// by option; the values of targets are under TARGET.KEY.
func checked(t *testing.T, env []string, args ...string) (values, from map[string]string) {
	t.Helper()
	code, stdout, stderr := mirrorgate(t, env, append([]string{"check"}, args...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("check %q: exit code %d and %s", args, code, stderr)
	}
	values, from = map[string]string{}, map[string]string{}
	option, target := "", ""
	for line := range strings.Lines(stdout) {
		line = strings.TrimRight(line, "\n")
		m := sheetLineForm.FindStringSubmatch(line)
		if m == nil {
			option = strings.TrimSuffix(line, ":")
			continue
		}
		text, origin := strings.TrimPrefix(m[1], "# "), m[2]
		name, value, _ := strings.Cut(strings.TrimLeft(text, " -"), ":")
		switch {
		case strings.HasPrefix(text, "  - name: "):
			target = strings.TrimSpace(value)
			fallthrough
		case option == "target":
			name = target + "." + name
		case strings.HasPrefix(text, "  - "):
			name, value = option, strings.TrimPrefix(text, "  - ")
			if values[name] != "" {
				value, origin = values[name]+" | "+value, from[name]+" | "+origin
			}
		}
		values[name], from[name] = strings.TrimSpace(value), origin
	}
	return values, from
}

const configuration = `# what staging gets
sample: 10%
memory: 1GiB
conns: 32
listen: [127.0.0.1:1, "unix:m.sock"]
set-header:
  - X-Env: staging
  - "Authorization: Bearer secret"
target:
  - stg=http://stg:8080,queue=100
  - name: a
    url: http://a/prefix
    group: v2
    weight: 3
  - {name: b, url: http://b, group: v2, conns: 128}
`

// The command line goes over the environment, and that over the file.
func TestCheckShowsWhatIsInForce(t *testing.T) {
	inFile(t, configuration)
	values, from := checked(t,
		[]string{"MIRRORGATE_MEMORY=2GiB", "MIRRORGATE_CONFIG=m.yaml", "MIRRORGATE_DRAIN=20s", "MIRRORGATE_TIMEOUT=7s"},
		"--drain", "90s", "--rate", "200/s")
	f := func(option, value, origin string) {
		t.Helper()
		if values[option] != value || from[option] != origin {
			t.Errorf("%s is %q from %q, want %q from %q", option, values[option], from[option], value, origin)
		}
	}
	f("config", "m.yaml", "environment MIRRORGATE_CONFIG")
	f("sample", "10%", "m.yaml:2")
	f("memory", "2GiB", "environment MIRRORGATE_MEMORY")
	f("drain", "1m30s", "flag")
	f("timeout", "7s", "environment MIRRORGATE_TIMEOUT")
	f("batch", "", "not set")
	f("admin", "127.0.0.1:12346", "default")
	f("tls-insecure", "false", "default")
	f("loops", "", "not set")
	f("listen", "127.0.0.1:1 | unix:m.sock", "m.yaml:5 | m.yaml:5")
	f("set-header", "X-Env: (hidden) | Authorization: (hidden)", "m.yaml:7 | m.yaml:8")
	f("stg.url", "http://stg:8080", "m.yaml:10")
	f("stg.queue", "100", "m.yaml:10")
	f("stg.conns", "32", "m.yaml:4")
	f("stg.weight", "1", "default")
	f("stg.group", "", "")
	f("a.name", "a", "m.yaml:11")
	f("a.url", "http://a/prefix", "m.yaml:12")
	f("a.group", "v2", "m.yaml:13")
	f("a.weight", "3", "m.yaml:14")
	f("a.sample", "10%", "m.yaml:2")
	f("a.rate", "200/s", "flag")
	f("b.conns", "128", "m.yaml:15")
	f("b.timeout", "7s", "environment MIRRORGATE_TIMEOUT")

	values, from = checked(t, []string{"MIRRORGATE_TARGET=http://c http://d"}, "--config", "m.yaml", "--listen", "127.0.0.1:9")
	f("listen", "127.0.0.1:9", "flag")
	f("d.url", "http://d", "environment MIRRORGATE_TARGET")
	f("a.url", "", "")
	_, stdout, _ := mirrorgate(t, nil, "check", "--config", "m.yaml")
	if strings.Contains(stdout, "secret") {
		t.Errorf("the check shows a secret: %s", stdout)
	}
}

var comments = regexp.MustCompile(`(?m) *#.*$`)

// What the check prints is a configuration file with the same effect.
func TestCheckIsAConfiguration(t *testing.T) {
	inFile(t, configuration)
	code, first, stderr := mirrorgate(t, nil, "check", "--config", "m.yaml", "--methods=GET+HEAD", "--max-age=1h", "--memory=1048577")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if err := os.WriteFile("again.yaml", []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	_, second, stderr := mirrorgate(t, nil, "check", "--config", "again.yaml")
	if got, want := comments.ReplaceAllString(second, ""), comments.ReplaceAllString(first, ""); got != want {
		t.Errorf("%s\nbecame %s\n%s", want, got, stderr)
	}
}

// A start with the file does what the check says, and both find the same
// mistakes, with the line.
func TestConfigurationMistakes(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		inFile(t, text)
		for _, command := range [][]string{{"check"}, {"--log-level=error"}} {
			code, stdout, stderr := mirrorgate(t, nil, append(command, "--config", "m.yaml")...)
			if code != exitUsage || stderr != "mirrorgate: "+want+"\n" || stdout != "" {
				t.Errorf("%q: exit code %d, %q and\n%swant %d and\nmirrorgate: %s", command, code, stdout, stderr, exitUsage, want)
			}
		}
	}
	g := func(option, want string) {
		t.Helper()
		f("target: http://127.0.0.1:1\n"+option+"\n", "m.yaml:2: "+want)
	}
	f("", "--target is missing: name at least one, like --target http://staging:8080")
	f("target: foo\n", `m.yaml:1: target foo: the URL "foo" has no scheme, should be like http://foo`)
	f("\ntarget:\n- http://a:%zz\n", `m.yaml:3: target http://a:%zz: cannot read URL "http://a:%zz": should be like http://host:8080`)
	f("target:\n- url: http://a\n  queue: 0\n", "m.yaml:3: target a: queue is 0, should be from 1 to 16777216")
	f("target:\n- http://a,queue=0\n", "m.yaml:2: target a: queue is 0, should be from 1 to 16777216")
	f("target:\n- a=http://a\n- a=http://b\n", "m.yaml:3: target a: the name is taken by another target; give each its own, like a2=http://b")
	g("targets: x", "unknown option targets, did you mean target?")
	g("queue: 0", "target 127.0.0.1: queue is 0, should be from 1 to 16777216")
	g("sample: 200%", `sample: sample is "200%", should be a share like 25% or 0.25`)
	g("conns: many", `conns: expected a valid 64 bit int but got "many"`)
	g("tls-insecure: maybe", `tls-insecure: bool value must be true, 1, yes, false, 0 or no but got "maybe"`)
	g("truncated: cut", `truncated is "cut", should be one of drop, send`)
	g("allow: []", "allow is empty: give it a value, or remove the line")
	g("allow: [10.0.0.0/8, x]", `allow: "x" should be an address or a network like 10.0.0.0/8`)
	g("set-header: {Host: x}", "set-header Host: mirrorgate sets this field itself; for Host use --host")
	g("tls-ca: nowhere.pem", "tls-ca: cannot read certificates: open nowhere.pem: no such file or directory")
	g("tls-cert: m.yaml", "tls-cert and --tls-key need each other: give both or none")
	g("admin-token-file: nowhere", "admin-token-file: cannot read token: open nowhere: no such file or directory")
	g("admin: nowhere", "admin: cannot listen on nowhere: address nowhere: missing port in address")
	g("admin: 0.0.0.0:0", "admin: 0.0.0.0:0 is not on loopback: give a token with --admin-token-file, or an address like 127.0.0.1:12346")
	g("listen: unix:m.yaml\nadmin: ''", "listen: cannot listen on unix:m.yaml: the file exists and is not a socket")

	inFile(t, "listen: [127.0.0.1:0, nowhere]\nadmin: ''\ntarget: http://a\n")
	code, _, stderr := mirrorgate(t, nil, "check", "--config=m.yaml")
	if want := "mirrorgate: m.yaml:1: listen: cannot listen on nowhere: missing port in address\n"; code != exitUsage || stderr != want {
		t.Errorf("exit code %d and %s, want %s", code, stderr, want)
	}
	code, _, stderr = mirrorgate(t, nil, "check", "--config=m.yaml", "--listen=unix:m.yaml")
	if want := "mirrorgate: --listen: cannot listen on unix:m.yaml: the file exists and is not a socket\n"; code != exitUsage || stderr != want {
		t.Errorf("exit code %d and %s, want %s", code, stderr, want)
	}
	code, _, stderr = mirrorgate(t, nil, "--config", filepath.Join("no", "file"))
	if want := "mirrorgate: cannot read configuration: open no/file: no such file or directory\n"; code != exitUsage || stderr != want {
		t.Errorf("exit code %d and %s, want %s", code, stderr, want)
	}
}

// What comparing needs may stand in the file, too, and a mistake in it has its line.
func TestCheckComparing(t *testing.T) {
	inFile(t, `ignore:
  - header:X-Served-By
  - 'json:["a,b"].id'
route: GET /api/shops/*/orders
compare-body: 64k
compare-cpu: 50%
warmup: 1m
examples: off
mask: [tenant, X-Tenant]
target:
  - {name: v1, url: http://old}
  - {name: v1b, url: http://old2}
  - {name: v2, url: http://new, against: v1, noise: v1b}
`)
	values, from := checked(t, []string{"MIRRORGATE_ROUTE=GET /a,b\nPOST /c"}, "--config", "m.yaml", "--warmup", "1s")
	f := func(option, value, origin string) {
		t.Helper()
		if values[option] != value || from[option] != origin {
			t.Errorf("%s is %q from %q, want %q from %q", option, values[option], from[option], value, origin)
		}
	}
	f("ignore", `header:X-Served-By | "json:[\"a,b\"].id"`, "m.yaml:2 | m.yaml:3")
	f("route", `"GET /a,b" | "POST /c"`, "environment MIRRORGATE_ROUTE | environment MIRRORGATE_ROUTE")
	f("compare-body", "64KiB", "m.yaml:5")
	f("compare-cpu", "50%", "m.yaml:6")
	f("warmup", "1s", "flag")
	f("examples", "off", "m.yaml:8")
	f("mask", "tenant | X-Tenant", "m.yaml:9 | m.yaml:9")
	f("v2.against", "v1", "m.yaml:13")
	f("v2.noise", "v1b", "m.yaml:13")
	f("v1.against", "production", "default")

	wrong := func(want string, args ...string) {
		t.Helper()
		code, _, stderr := mirrorgate(t, nil, append([]string{"check"}, args...)...)
		if code != 2 || stderr != "mirrorgate: "+want+"\n" {
			t.Errorf("check %q: exit code %d and %s, want %s", args, code, stderr, want)
		}
	}
	target := []string{"--target", "http://a"}
	wrong(`--ignore "json:items[0]": indexes are folded: write [] for all elements`, append(target, "--ignore", "json:items[0]")...)
	wrong(`--route "/api": want a method and a path without query, as in 'GET /api/shops/*/orders'`, append(target, "--route", "/api")...)
	wrong("--unmask needs --admin-token-file: what is not masked is shown by the admin server", append(target, "--unmask", "token")...)
	wrong(`--target v2: against is "v9", which is no target`, "--target", "v2=http://b,against=v9")
	inFile(t, "target: http://a\nignore:\n  - nonsense\n")
	wrong(`m.yaml:2: ignore "nonsense": want header:NAME, json:PATH or path:PREFIX`, "--config", "m.yaml")
}
