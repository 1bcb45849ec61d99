package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// mirrorgate runs the binary to its end.
func mirrorgate(t *testing.T, env []string, args ...string) (exitCode int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	process := exec.Command(binary, args...)
	// The race detector waits a second at exit for goroutines that may yet race.
	process.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), env...)
	process.Stdout, process.Stderr = &out, &err
	if e := process.Start(); e != nil {
		t.Fatal(e)
	}
	// What should have failed, but runs, would run for ever.
	watchdog := time.AfterFunc(time.Minute, func() { _ = process.Process.Kill() })
	defer watchdog.Stop()
	if e := process.Wait(); e != nil && !errors.As(e, new(*exec.ExitError)) {
		t.Fatal(e)
	}
	return process.ProcessState.ExitCode(), out.String(), err.String()
}

// Whatever is wrong with the command line: one line that names it and says what
// would be right, and exit code 2.
func TestBadInput(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(env []string, args []string, want string) {
		t.Helper()
		code, _, stderr := mirrorgate(t, env, args...)
		if code != exitUsage || stderr != "mirrorgate: "+want+"\n" {
			t.Errorf("%q: exit code %d and\n%swant %d and\nmirrorgate: %s", args, code, stderr, exitUsage, want)
		}
	}
	const help = "; see mirrorgate --help"
	f := func(options, want string) {
		t.Helper()
		run(nil, append([]string{"--listen=127.0.0.1:0", "--admin="}, strings.Fields(options)...), want)
	}
	g := func(options, want string) {
		t.Helper()
		f("--target http://127.0.0.1:1 "+options, want)
	}
	f("", "--target is missing: name at least one, like --target http://staging:8080")
	f("--targets http://a", `unknown flag --targets, did you mean "--target"?`+help)
	f("--target foo", `--target foo: the URL "foo" has no scheme, should be like http://foo`)
	f("--target a=staging:8080", `--target a=staging:8080: the URL "staging:8080" has no scheme, should be like http://staging:8080`)
	f("--target http://a:%zz", `--target http://a:%zz: cannot read URL "http://a:%zz": should be like http://host:8080`)
	f("--target http://a,wieght=3", `--target http://a,wieght=3: unknown key "wieght", should be one of against, age, batch, conns, del-header, drop, group, host, hosts, http, mask, max, max-age, methods, noise, path, queue, rate, rewrite, sample, server-name, set-header, sync, timeout, tls-ca, tls-cert, tls-key, upgrade, weight`)
	f("--target http://a,conns=many", `--target http://a,conns=many: conns is "many", should be a whole number`)
	f("--target a=http://a --target a=http://b", "--target a: the name is taken by another target; give each its own, like a2=http://b")
	f("--target a=http://a,group=g,sample=1% --target b=http://b,group=g", "--target b: sample is 100% here but 1% at a, and both are in group g; a group has one sample")

	g("--memory 0", `--memory: "0" should be a size like 64K, 512MiB or 1.5G`+help)
	g("--memory 12x", `--memory: "12x" should be a size like 64K, 512MiB or 1.5G`+help)
	g("--memory 512", `--memory: "512" is 512 bytes, should be at least 1MiB: did you mean 512MiB?`+help)
	g("--sample 200%", `--sample: sample is "200%", should be a share like 25% or 0.25`+help)
	g("--rate fast", `--rate: rate is "fast", should be requests a second like 200/s`+help)
	g("--drop random", `--drop: drop is "random", should be one of newest, oldest, uniform`+help)
	g("--conns x", `--conns: expected a valid 64 bit int but got "x"`+help)
	g("--queue 0", "--target 127.0.0.1: queue is 0, should be from 1 to 16777216")
	g("--timeout 5", `--timeout: "5" should be a time above 0, like 500ms or 5s`+help)
	g("--drain 0s", `--drain: "0s" should be a time above 0, like 500ms or 5s`+help)
	g("--drain 25h", `--drain: "25h" should be a time of a day (24h) at most`+help)
	g("--target http://a,timeout=25h", "--target a: timeout is 25h0m0s, should be a day (24h) at most")
	g("--allow 10.0.0.0/33", `--allow: "10.0.0.0/33" should be an address or a network like 10.0.0.0/8`+help)
	g("--source here", `--source: "here" should be an IP address of this machine`+help)
	g("--source ::1", "--target 127.0.0.1: 127.0.0.1 cannot be reached from --source ::1: one is IPv4, the other IPv6")
	g("--dns-ttl 0s", `--dns-ttl: "0s" should be a time above 0, like 500ms or 5s`+help)
	g("--sample-by user", `--sample-by: "user" should be random, path, header:NAME or cookie:NAME`+help)
	g("--set-header x", "--set-header: a header should be NAME:VALUE"+help)
	g("--set-header Host:x", "--set-header Host: mirrorgate sets this field itself; for Host use --host")
	g("--truncated cut", `--truncated must be one of "drop","send" but got "cut"`+help)
	g("--forwarded-for always", `--forwarded-for: forwarded-for is "always", should be one of keep, append, set`+help)
	g("--forwarded-for set --del-header X-Forwarded-For", "--del-header X-Forwarded-For: --forwarded-for set writes this field; give only one of the two")
	g("--trace never", `--trace: trace is "never", should be one of keep, new, drop`+help)
	g("--trace new --set-header traceparent:x", "--set-header traceparent: --trace new rules this field; give only one of the two")
	g("--target b=http://b,set-header=x", "--target b=http://b,set-header=x: set-header should be NAME:VALUE, with %2C for a comma, %2B for a plus and %20 for a blank")
	g("--target b=http://b,set-header=Host:x", "--target b: set-header Host: mirrorgate sets this field itself; for Host use --host")
	g("--target b=http://b,rewrite=/a", `--target b=http://b,rewrite=/a: rewrite is "/a", should be FROM=TO, like /api/=/v2/api/`)
	g("--target b=http://b,path=api", `--target b: path has "api", should be of paths without a query, like /api/*`)
	g("--target b=http://b,hosts=shop:80", `--target b: hosts has "shop:80", should be of names without a port, like shop.example.com or *.example.com`)
	g("--target b=https://b,tls-ca=/does/not/exist", "--target b: tls-ca: cannot read certificates: open /does/not/exist: no such file or directory")
	g("--target b=http://b,group=g,path=/a --target c=http://c,group=g", "--target c: path, hosts or upgrade are not those of b, and both are in group g; a group has one filter")
	g("--log-level loud", `--log-level must be one of "debug","info","warn","error" but got "loud"`+help)
	g("--max-conns=-1", `--max-conns: expected a valid 64 bit uint but got "-1"`+help)
	g("--max-frame-size 255", `--max-frame-size: "255" should be a number of bytes from 256 to 64MiB`+help)
	g("--max-frame-size 65MiB", `--max-frame-size: "65MiB" should be a number of bytes from 256 to 64MiB`+help)
	g("--max-frame-size big", `--max-frame-size: "big" should be a number of bytes from 256 to 64MiB`+help)
	g("--handshake-timeout 0s", `--handshake-timeout: "0s" should be a time above 0, like 500ms or 5s`+help)
	g("--loops=-1", fmt.Sprintf(`--loops: "-1" should be a whole number from 1 to %d, which is 4 for each CPU`, 4*runtime.NumCPU())+help)
	g("--loops=100000", fmt.Sprintf(`--loops: "100000" should be a whole number from 1 to %d, which is 4 for each CPU`, 4*runtime.NumCPU())+help)
	g("extra", "unexpected argument extra"+help)
	g("--tls-ca /does/not/exist", "--tls-ca: cannot read certificates: open /does/not/exist: no such file or directory")
	g("--tls-ca "+file, "--tls-ca "+file+": the file holds no certificate in PEM form")
	g("--tls-cert "+file, "--tls-cert and --tls-key need each other: give both or none")
	g("--tls-cert "+file+" --tls-key "+file, fmt.Sprintf("--tls-cert %s, --tls-key %s: cannot read key pair: tls: failed to find any PEM data in certificate input", file, file))
	g("--admin 0.0.0.0:0", "--admin: 0.0.0.0:0 is not on loopback: give a token with --admin-token-file, or an address like 127.0.0.1:12346")
	g("--admin :0", "--admin: :0 is not on loopback: give a token with --admin-token-file, or an address like 127.0.0.1:12346")
	g("--admin-token-file /does/not/exist", "--admin-token-file: cannot read token: open /does/not/exist: no such file or directory")
	g("--admin-token-file "+file, "--admin-token-file "+file+": the file should hold one word of printable ASCII: the token")
	g("--admin-token-file /dev/null", "--admin-token-file /dev/null: the file should hold one word of printable ASCII: the token")
	g("--admin "+taken.Addr().String(), "--admin: cannot listen on "+taken.Addr().String()+": address already in use")
	g("--admin nowhere", "--admin: cannot listen on nowhere: address nowhere: missing port in address")
	g("--listen "+taken.Addr().String(), "--listen: cannot listen on "+taken.Addr().String()+": address already in use")
	g("--listen unix:"+file, "--listen: cannot listen on unix:"+file+": the file exists and is not a socket")
	g("--listen unix:@spop", "--listen: cannot listen on unix:@spop: an abstract socket (@) has no permissions, everybody on this host could connect: give a path, like unix:/run/mirrorgate/spop.sock")
	g("--listen unix:/run/spop,mode=rw", "--listen: cannot listen on unix:/run/spop,mode=rw: mode should be octal, like mode=660")
	g("--listen unix:/run/spop,mode=660,group=no-such-group", `--listen: cannot listen on unix:/run/spop,mode=660,group=no-such-group: there is no group "no-such-group" on this host`)
	run([]string{"MIRRORGATE_MEMORY=0"}, nil, `--memory: "0" should be a size like 64K, 512MiB or 1.5G (from envar MIRRORGATE_MEMORY="0")`+help)
	run([]string{"MIRRORGATE_SAMPEL=10%"}, nil, "unknown variable MIRRORGATE_SAMPEL in the environment: did you mean MIRRORGATE_SAMPLE?")
	run([]string{"MIRRORGATE_TARGETS=http://a", "MIRRORGATE_ZEBRA=1"}, []string{"check"}, "unknown variable MIRRORGATE_TARGETS in the environment: did you mean MIRRORGATE_TARGET?")
	run([]string{"MIRRORGATE_ZEBRA=1"}, nil, "unknown variable MIRRORGATE_ZEBRA in the environment: mirrorgate help options lists those that there are")
	haproxy := func(options, want string) {
		t.Helper()
		run(nil, append([]string{"config", "haproxy"}, strings.Fields(options)...), want)
	}
	haproxy("", "config haproxy: --agents is missing: name where mirrorgate listens, like 10.0.0.7:12345 or unix:/run/mirrorgate/spop.sock")
	haproxy("--agents a", `config haproxy: --agents: "a" should be HOST:PORT or unix:PATH`)
	haproxy("--agents a:1,a:1", `config haproxy: --agents: a:1 is named twice`)
	haproxy("--agents a:0", `config haproxy: --agents: "a:0" should have a port from 1 to 65535`)
	haproxy("--agents a#b:1", `config haproxy: --agents: "a#b:1" should be HOST:PORT or unix:PATH`)
	haproxy("--agents unix:spop", `config haproxy: --agents: "unix:spop" should have an absolute path, like unix:/run/mirrorgate/spop.sock`)
	haproxy("--agents a:1 --haproxy 1.8", `--haproxy: "1.8" should be a version of HAProxy from 2.0 on, like 2.6 or 3.2`+help)
	haproxy("--agents a:1 --haproxy new", `--haproxy: "new" should be a version of HAProxy from 2.0 on, like 2.6 or 3.2`+help)
	haproxy("--agents a:1 --haproxy 2.2 --steer", "config haproxy: --steer: HAProxy 2.2 cannot be steered, 2.4 and later can")
	haproxy("--agents a:1 --sample 0", "config haproxy: --sample: a share of 0 would mirror nothing; take the filter out of HAProxy's configuration instead")
	haproxy("--agents a:1 --max-body 1GiB", "config haproxy: --max-body: 1073741824 bytes are more than HAProxy's buffer can hold, should be at most 134217728")
	haproxy("--agents a:1 --methods GET,'", `config haproxy: --methods: "GET,'" should be methods like GET+HEAD`)
	haproxy("--agents a:1 --spoe-file a$b", `config haproxy: --spoe-file: "a$b" should be a path without blanks, quotes and other special characters`)
	haproxy("--agents a:1 --event never", `--event must be one of "request","response" but got "never"`+help)
	run(nil, []string{"doctor"}, "doctor: name HAProxy's configuration, like mirrorgate doctor /etc/haproxy/haproxy.cfg")
	run(nil, []string{"doctor", "--haproxy-config", "/does/not/exist"}, "doctor: cannot read /does/not/exist: no such file or directory")
	run(nil, []string{"doctor", "--haproxy-config", filepath.Dir(file)}, "doctor: "+filepath.Dir(file)+": the directory has no file named *.cfg")
	run(nil, []string{"doctor", "--haproxy-config", file}, "doctor: "+file+`:1: "no" stands outside of any section: is this a HAProxy configuration?`)
	probe := func(args, want string) {
		t.Helper()
		run(nil, append([]string{"probe"}, strings.Fields(args)...), want)
	}
	probe("", `expected "<url>"`+help)
	probe("staging:8080", `the URL "staging:8080" should be like http://host:8080/path or https://host/path`)
	probe("http://u:p@a", "the URL holds a user name or a password; probe sends no credentials")
	probe("http://a --host keep", "--host keep: a probe has no mirrored request whose Host it could keep; give a name, or target for that of the URL")
	probe("http://a --timeout 5", `--timeout: "5" should be a time above 0, like 500ms or 5s`+help)
	probe("https://a --tls-ca "+file, "--tls-ca "+file+": the file holds no certificate in PEM form")
	probe("https://a --tls-cert "+file, "--tls-cert and --tls-key need each other: give both or none")
	run(nil, []string{"demo", "--rate", "0"}, "demo: --rate should be from 1 to 100000 requests a second"+help)
}

func TestHelpAndVersion(t *testing.T) {
	f := func(want []string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, args...)
		if code != 0 || stderr != "" {
			t.Errorf("%q: exit code %d and %q on stderr, want 0 and nothing", args, code, stderr)
		}
		for _, text := range want {
			if !strings.Contains(stdout, text) {
				t.Errorf("%q does not say %q:\n%s", args, text, stdout)
			}
		}
	}
	f([]string{
		"Usage: mirrorgate --target [NAME=]URL", "  demo  ", "  config haproxy  ", "mirrorgate --target http://staging:8080",
		"\nTargets:", "\nDefaults of the targets:", "\nFrom HAProxy:", "\nRequests:", "\nTLS to targets:", "\nOperation:",
		"over HTTP/2 64). [$MIRRORGATE_BATCH]", "$MIRRORGATE_TLS_CA",
	}, "--help")
	f([]string{"Usage: mirrorgate demo", "--duration=TIME", "[default 10s]"}, "demo", "--help")
	f([]string{"Usage: mirrorgate config haproxy", "--agents=ADDRESS,... ", "--haproxy 3.2 --agents 10.0.0.7:12345"}, "config", "haproxy", "--help")
	f([]string{"Usage: mirrorgate config systemd", "> /etc/systemd/system/mirrorgate.service"}, "config", "systemd", "--help")
	f([]string{"Usage: mirrorgate doctor", "mirrorgate doctor /etc/haproxy/haproxy.cfg", "--[no-]connect"}, "doctor", "--help")
	f([]string{"Usage: mirrorgate probe <url>", "mirrorgate probe http://staging:8080/health", "--writes", "[default 5s]"}, "probe", "--help")
	f([]string{"mirrorgate v1.2.3-test go1."}, "version")
	f([]string{"mirrorgate v1.2.3-test go1."}, "--version")
	f([]string{"accounting", "metrics", "mirrorgate COMMAND --help"}, "help")
	f([]string{"slower than its traffic"}, "help", "queue_full")
	f([]string{"Usage: mirrorgate config haproxy"}, "help", "config", "haproxy")
	f([]string{"complete -o default -F _mirrorgate mirrorgate"}, "completion", "bash")
	f([]string{".TH MIRRORGATE 1", "v1.2.3-test"}, "help", "--man")
}

// What the environment says holds until the command line says something else. What
// Kubernetes sets for services with names like ours says nothing to us.
func TestEnvironment(t *testing.T) {
	t.Setenv("MIRRORGATE_PORT", "tcp://10.0.0.1:12345")
	t.Setenv("MIRRORGATE_PORT_12345_TCP_ADDR", "10.0.0.1")
	t.Setenv("MIRRORGATE_ADMIN_SERVICE_HOST", "10.0.0.1")
	t.Setenv("MIRRORGATE_ADMIN_SERVICE_PORT_HTTP", "12346")
	t.Setenv("MIRRORGATE_TARGET", "a=http://127.0.0.1:1,rate=5/s\n b=http://127.0.0.1:1")
	t.Setenv("MIRRORGATE_SAMPLE", "25%")
	t.Setenv("MIRRORGATE_SAMPLE_BY", "cookie:session")
	t.Setenv("MIRRORGATE_SET_HEADER", "X-One: 1, 2\nX-Two: 2")
	a := startAgent(t, "--sample", "50%")
	for _, want := range []string{
		"mirroring 50% of requests to a=http://127.0.0.1:1", "mirroring 50% of requests to b=http://127.0.0.1:1",
		"sampling by cookie:session",
	} {
		if len(a.log.all(want)) != 1 {
			t.Errorf("the log does not say %q: %s", want, a.log)
		}
	}
}
