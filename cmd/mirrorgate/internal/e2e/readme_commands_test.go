package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

// Every command of README and then of the reference is run, from the first to the
// last, as a reader would run them who has the files that they show: out of the
// documents themselves, with the shell. What differs from that reader's machine:
//
//   - paths from / on are below a folder of the test's own;
//   - 10.0.0.7 and 10.0.0.8 are two mirrorgates on free ports of loopback, the
//     first is also 127.0.0.1, and each URL with the name of a target is that of
//     a server of the test's own;
//   - what is recorded was recorded just now, and the broker of Kafka is a stand-in;
//   - who asks for a verdict asks two other mirrorgates, and does not wait;
//   - a mirrorgate that is started here takes free ports, is waited for, and then
//     stopped with SIGINT;
//   - systemctl, journalctl and ssh only note down what they are asked;
//   - make only says what it would do (-n): the CI does it;
//   - demo and bench take less time.
//
// A command that no rule below covers is an error.
func TestReadmeCommands(t *testing.T) {
	r := newReader(t)
	for _, b := range blocks(t) {
		r.read(b)
	}
	script := filepath.Join(t.TempDir(), "readme.txtar")
	if err := os.WriteFile(script, []byte(strings.Join(r.script, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("run", func(t *testing.T) {
		testscript.Run(t, testscript.Params{Files: []string{script}, Setup: r.setup, Cmds: map[string]func(*testscript.TestScript, bool, []string){"shows": shows}})
	})
	noted, err := os.ReadFile(r.noted())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(noted), strings.Join(r.outside, "\n")+"\n"; got != want {
		t.Errorf("the machine was asked\n%swant\n%s", got, want)
	}
}

// The rules by which commands are run, the first that fits: what is added to a
// command, and what it has to say.
var readmeRules = []struct {
	command string // pattern
	add     string
	says    string // pattern
	kind    func(r *reader, command string)
}{
	{command: `^make `, kind: (*reader).dryRun},
	{command: `^(systemctl|journalctl|ssh) `, kind: (*reader).askMachine},
	{command: `^(install|echo) `},
	{command: `^curl .*/api/(verdict|compare)`, says: `"target":"v2"`, kind: (*reader).askComparing},
	{command: `^curl -[fs] `},
	{command: `^haproxy -c `, says: `(?i)valid|^$`},
	{command: `^bin/mirrorgate demo$`, add: " --duration 500ms --rate 100", says: `The accounting adds up`},
	{command: `^mirrorgate bench run\b.* --rate`, add: " --duration 200ms --warmup 0s --rate 200", says: `reconciled: true`},
	{command: `^mirrorgate bench run\b`, add: " --duration 200ms --warmup 0s --connections 1 --in-flight 1", says: `reconciled: true`},
	{command: `^mirrorgate-bench compare\b`, add: " --duration 200ms --warmup 0s --rate 200 --rounds 1", says: `delivery_rate`},
	{command: `^mirrorgate config haproxy `, says: `mirroragents|spoe-agent mirror`},
	{command: `^mirrorgate config `},
	{command: `^mirrorgate check `, says: `http://staging:8080`},
	{command: `^mirrorgate doctor `, says: `nothing to fix`},
	{command: `^mirrorgate probe `, says: `--target http://.*,batch=`, kind: (*reader).probe},
	{command: `^mirrorgate verdict `, says: `not yet|not_yet`, kind: (*reader).verdict},
	{command: `^mirrorgate differences .*--(curl|har)`, kind: (*reader).askComparing},
	{command: `^mirrorgate differences `, says: `No example is kept`, kind: (*reader).askComparing},
	{command: `^mirrorgate tune `, says: `→`},
	{command: `^mirrorgate status --watch$`, says: `staging`, kind: (*reader).watch},
	{command: `^mirrorgate status --json$`, says: `"notes"`},
	{command: `^mirrorgate status$`, says: `staging`},
	{command: `^mirrorgate help\b`, says: `.`},
	{command: `^mirrorgate replay `, says: `replayed`, kind: (*reader).replay},
	{command: `^mirrorgate log .*--(status 5xx|route|format har)`}, // of what is not there nothing is shown
	{command: `^mirrorgate log `, says: `.`},
	{command: `^mirrorgate --help$`, says: `Usage: mirrorgate`},
	{command: `^mirrorgate --`, kind: (*reader).serve},
}

// reader turns the documents into a script.
type reader struct {
	*testing.T
	root    string // what is / for the commands, and where they are run
	target  *recorder
	hosts   *strings.Replacer
	admin   string
	broker  string            // of Kafka
	compare *strings.Replacer // for who asks two mirrorgates that compare, instead of hosts
	script  []string
	outside []string // what the machine is asked
}

func newReader(t *testing.T) *reader {
	r := &reader{T: t, root: t.TempDir(), target: startRecorder(t)}
	targets := []string{
		"--target", "staging=" + r.target.url(),
		"--target", "a=" + r.target.url() + ",group=v2,weight=3", "--target", "b=" + r.target.url() + ",group=v2",
	}
	first, second := startAgent(t, targets...), startAgent(t, targets...)
	r.admin = first.admin
	r.broker = startKafka(t, "peak")
	r.record()
	r.hosts = strings.NewReplacer("127.0.0.1:12346", first.admin, "10.0.0.7:12345", first.spop, "10.0.0.8:12345", second.spop,
		" /var/lib/", " "+r.root+"/var/lib/", " --from 2026-11-26T09:00 --to 10:00", "", " --from 09:00", "", " /etc/", " "+r.root+"/etc/", "=/etc/", "="+r.root+"/etc/", " /usr/local/", " "+r.root+"/usr/local/", "'/usr/local/", "'"+r.root+"/usr/local/")
	v1 := "=" + r.target.url()
	versions := []string{"--target", "v1" + v1, "--target", "v1b" + v1, "--target", "v2" + v1 + ",against=v1,noise=v1b"}
	third, fourth := startAgent(t, versions...), startAgent(t, versions...)
	r.compare = strings.NewReplacer("127.0.0.1:12346", third.admin, "mirror1:12346", third.admin, "mirror2:12346", fourth.admin,
		"mirrorgate ", "MIRRORGATE_ADMIN="+third.admin+" mirrorgate ", "--wait 30m", "--wait 1ms")
	for _, dir := range []string{"bin", "usr/local/bin", "stand-ins", "etc/haproxy", "etc/default", "etc/systemd/system", "etc/prometheus"} {
		if err := os.MkdirAll(filepath.Join(r.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(binary, filepath.Join(r.root, "bin/mirrorgate")); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(r.root, "bin/"), "github.com/mirrorgate/mirrorgate/cmd/mirrorgate-bench")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build mirrorgate-bench: %v\n%s", err, out)
	}
	for _, program := range []string{"systemctl", "journalctl", "ssh"} {
		r.write("stand-ins/"+program, fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >> %s\n", program, r.noted()))
	}
	return r
}

// startKafka starts a broker with a topic.
func startKafka(t *testing.T, topic string) (addr string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// record makes the recording that the commands look into.
func (r *reader) record() {
	r.Helper()
	a := startAgent(r.T, "--target", "log=file://"+r.root+"/var/lib/mirrorgate/peak,max=64MiB", "--target", "topic=kafka://"+r.broker+"/peak")
	if code, _, stderr := mirrorgate(r.T, nil, "bench", "run", "--agent", a.spop, "--targets", "0", "--rate", "200", "--duration", "200ms", "--warmup", "0s"); code != 0 {
		r.Fatalf("cannot record: %s", stderr)
	}
	a.stop(r.T)
}

// noted is where what the machine is asked is noted down.
func (r *reader) noted() string { return filepath.Join(r.root, "noted") }

// setup is called with what the commands find.
func (r *reader) setup(env *testscript.Env) error {
	path, err := haproxy.Find()
	if err != nil {
		return err
	}
	bin := []string{"stand-ins", "usr/local/bin", "bin"}
	for i, dir := range bin {
		bin[i] = filepath.Join(r.root, dir)
	}
	env.Setenv("PATH", strings.Join(slices.Concat(bin, []string{filepath.Dir(path), os.Getenv("PATH")}), ":"))
	env.Setenv("MIRRORGATE_ADMIN", r.admin)
	env.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
	env.Cd = r.root
	return nil
}

func (r *reader) write(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.root, name), []byte(text), 0o700); err != nil {
		r.Fatal(err)
	}
}

// read adds a block to the script.
func (r *reader) read(b block) {
	r.script = append(r.script, "# "+b.place())
	switch {
	case b.language == "sh":
		for _, command := range b.commands() {
			r.command(b, command)
		}
	case b.file != "":
		text := r.hosts.Replace(b.text)
		if proxyVersion.Mux() {
			text = regexp.MustCompile(`mode +tcp`).ReplaceAllString(text, "mode spop")
		}
		r.write(b.file, text)
	case b.language == "haproxy":
		r.events(b)
	case b.language == "yaml":
		file := fmt.Sprintf("%d.yml", len(r.script))
		r.write(file, b.text)
		r.exec("mirrorgate check --config " + file)
	case b.language != "text":
		r.Errorf("%s: there is no rule for a block of %q", b.place(), b.language)
	}
}

func (r *reader) command(b block, command string) {
	for _, rule := range readmeRules {
		if !regexp.MustCompile(rule.command).MatchString(command) {
			continue
		}
		if rule.kind != nil {
			rule.kind(r, command)
		} else {
			r.exec(r.hosts.Replace(command + rule.add))
		}
		if rule.says != "" {
			r.script = append(r.script, "stdout '"+rule.says+"'")
		}
		return
	}
	r.Errorf("%s: there is no rule to run %q", b.place(), command)
}

// exec has the shell run a line; more comes behind it in the script.
func (r *reader) exec(line string, more ...string) {
	quoted := "'" + strings.ReplaceAll(line, "'", "''") + "'"
	r.script = append(r.script, strings.Join(append([]string{"exec sh -c " + quoted}, more...), " "))
}

func (r *reader) dryRun(command string) {
	directory, err := filepath.Abs("../../../..")
	if err != nil {
		r.Fatal(err)
	}
	r.exec(command + " -n -C " + directory)
}

func (r *reader) askMachine(command string) {
	r.outside = append(r.outside, command)
	r.exec(command)
}

// watch runs what goes on until it is interrupted.
func (r *reader) watch(command string) {
	screen := fmt.Sprintf("screen%d", len(r.script))
	r.exec("exec "+command+" > "+screen, "&watch&")
	r.script = append(r.script, "shows "+screen+" staging", "kill -INT watch", "wait watch", "exec cat "+screen)
}

var someTarget = regexp.MustCompile(`http://[a-z]+:\d+`)

// serve starts a mirrorgate and stops it when it serves.
func (r *reader) serve(command string) {
	command = strings.NewReplacer("0.0.0.0:12345", "127.0.0.1:0", "file:///", "file://"+r.root+"/", "b1:9092,b2:9092", r.broker).
		Replace(someTarget.ReplaceAllString(command, r.target.url()))
	log := fmt.Sprintf("log%d", len(r.script)) // of its own: an older one would show what is waited for
	r.exec("exec env MIRRORGATE_LISTEN=127.0.0.1:0 MIRRORGATE_ADMIN=127.0.0.1:0 "+command+" 2> "+log, "&gateway&")
	r.script = append(r.script, "shows "+log+" 'listening for HAProxy'", "kill -INT gateway", "wait gateway")
}

// replay sends what was recorded, or what of it is of last year, to a server.
func (r *reader) replay(command string) {
	command = strings.NewReplacer("b1:9092", r.broker, " --start 14:00", "").Replace(r.hosts.Replace(command))
	r.exec(someTarget.ReplaceAllString(command, r.target.url()) + "; s=$?; test $s = 0 || test $s = 3")
}

// askComparing asks one that compares.
func (r *reader) askComparing(command string) { r.exec(r.compare.Replace(command)) }

// verdict asks for one of which it is too early to say anything.
func (r *reader) verdict(command string) { r.exec(r.compare.Replace(command) + "; test $? = 3") }

// probe asks a server that does not keep it waiting.
func (r *reader) probe(command string) {
	r.exec(someTarget.ReplaceAllString(command, startBrief(r.T)))
}

// events has HAProxy check each line in the place of that in the SPOE file.
func (r *reader) events(b block) {
	if r.script = append(r.script, "# events"); !strings.HasPrefix(strings.TrimSpace(b.text), "event ") {
		r.Errorf("%s: the text before the block should name the file that it is", b.place())
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(r.root, "etc/haproxy", name))
		if err != nil {
			r.Fatalf("%s: %v", b.place(), err)
		}
		return string(text)
	}
	config, spoe := read("haproxy.cfg"), read("spoe-mirror.conf")
	for i, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
		r.write(fmt.Sprintf("event%d.conf", i), regexp.MustCompile(`(?m)^ *event .*`).ReplaceAllString(spoe, line))
		r.write(fmt.Sprintf("event%d.cfg", i), strings.ReplaceAll(config, "/etc/haproxy/spoe-mirror.conf", fmt.Sprintf("/event%d.conf", i)))
		r.exec(fmt.Sprintf("haproxy -c -f event%d.cfg", i))
		r.exec(fmt.Sprintf("mirrorgate doctor --haproxy-config event%d.cfg", i))
	}
}

// shows waits until a file has a text, with a deadline that only a failure meets.
func shows(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		switch {
		case strings.Contains(string(text), args[1]):
			return
		case time.Now().After(deadline):
			ts.Fatalf("%s does not show %q: %v\n%s", args[0], args[1], err, text)
		}
	}
}
