package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// configured is a mirrorgate with a configuration file.
type configured struct {
	*agent
	file string
}

func startConfigured(t *testing.T, text string, options ...string) configured {
	t.Helper()
	c := configured{file: filepath.Join(t.TempDir(), "m.yaml")}
	c.write(t, text)
	c.agent = startAgent(t, append(options, "--config", c.file)...)
	return c
}

func (c configured) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(c.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	reloaded  = "configuration reloaded"
	notLoaded = "cannot reload the configuration, the old one stays in force"
)

// reload writes the file, asks for a reload and waits for the line in the log.
func (c configured) reload(t *testing.T, text, line string) {
	t.Helper()
	c.write(t, text)
	before := len(c.log.all(line))
	if err := c.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log says: "+line, func() bool { return len(c.log.all(line)) > before })
}

func (c configured) metric(name string) float64 { return c.value(name) }

// Reloads in the middle of traffic, of everything that can change: production
// notices nothing, a target that stays the same gets every request once, and no
// request is dropped, not even of those that wait at a slow target which changes
// or goes.
func TestReloadUnderLoad(t *testing.T) {
	origin, all, a, b, late := startRecorder(t), startRecorder(t), startRecorder(t), startRecorder(t), startRecorder(t)
	slow, err := bench.ListenSink("127.0.0.1:0", bench.SinkDelay, 3*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slow.Close)
	target := func(name string, r *recorder, keys string) string {
		return fmt.Sprintf("  - %s=%s%s\n", name, r.url(), keys)
	}
	queued := fmt.Sprintf("  - slow=http://%s,batch=1,conns=", slow.Addr())
	base := "timeout: 30s\nmax-age: 60s\nqueue: 100000\ntarget:\n" + target("all", all, "")
	files := []string{
		base + target("a", a, ",group=g,weight=3,sample=50%") + target("b", b, ",group=g,sample=50%") + queued + "2\n",
		base + target("a", a, ",group=g,weight=1,sample=10%") + target("b", b, ",group=g,weight=9,sample=10%") + queued + "8\n",
		"set-header:\n  - X-Step: two\n" + base + target("a", a, ",group=g,conns=2,batch=1") + target("late", late, "") + queued + "4\n",
		"del-header: x-number\nsample-by: path\n" + base + target("late", late, ",sample=50%,rate=1000000/s"),
	}
	c := startConfigured(t, files[0])
	proxy := startProxy(t, sizedSPOE, origin.addr(), c.agent)
	crowd := newCrowd(proxy)
	var ended atomic.Bool
	var traffic sync.WaitGroup
	traffic.Go(func() { crowd.run(10, func(int64) bool { return !ended.Load() }, nil) })
	defer traffic.Wait()
	defer ended.Store(true)
	more := func() {
		t.Helper()
		sent := crowd.sent.Load()
		eventually(t, "some more traffic", func() bool { return crowd.sent.Load() > sent+100 })
	}
	for round := range 2 {
		for i, file := range files {
			more()
			if round > 0 || i > 0 {
				c.reload(t, file, reloaded)
			}
		}
	}
	more()
	ended.Store(true)
	traffic.Wait()

	crowd.unharmed(t)
	counters := c.atRest(crowd.sent.Load(), oneOf("all"))
	if got := int64(all.count()); got != crowd.sent.Load() {
		t.Errorf("%d arrived at the target that stays, want %d", got, crowd.sent.Load())
	}
	onlyOnce(t, "all", all.all())
	if dropped := counters.By("reason", "mirrorgate_target_dropped_total"); len(dropped) > 0 {
		t.Errorf("requests were dropped: %v", dropped)
	}
	if closed := counters.By("reason", "mirrorgate_spop_connections_refused_total"); len(closed) > 0 {
		t.Errorf("connections were refused or closed: %v", closed)
	}
	for name, got := range map[string]int{"all": all.count(), "a": a.count(), "b": b.count(), "late": late.count(), "slow": int(slow.Requests())} {
		selected := counters.Count("mirrorgate_target_selected_total", readings.Target(name))
		answered := counters.Count("mirrorgate_target_responses_total", readings.Target(name))
		if got == 0 || int64(got) != selected || int64(got) != answered {
			t.Errorf("target %s: %d selected, %d answered, %d arrived", name, selected, answered, got)
		}
	}
	marked := slices.ContainsFunc(all.all(), func(r recorded) bool { return r.header("X-Step") == "two" })
	if last := all.all()[all.count()-1]; !marked || last.header("X-Step") != "" {
		t.Errorf("the header does not follow the file")
	}
}

func oneOf(name string) map[string][]string { return map[string][]string{name: {name}} }

// A file with a mistake changes nothing, and says so; the next good one is taken.
func TestReloadOfABadFile(t *testing.T) {
	target := startRecorder(t)
	good := "sample: 10%\ntarget: a=" + target.url() + "\n"
	c := startConfigured(t, good)
	const successful, at, ratio = "mirrorgate_config_last_reload_successful",
		"mirrorgate_config_last_reload_success_timestamp_seconds", `mirrorgate_group_sample_ratio{group="a"}`
	if c.metric(successful) != 1 || c.metric(at) == 0 || c.metric(ratio) != .1 {
		t.Errorf("at the start it says %v", c.counters())
	}
	started := c.metric(at)
	f := func(text, want string) {
		t.Helper()
		c.reload(t, text, notLoaded)
		lines := c.log.all(notLoaded)
		if got := fmt.Sprint(lines[len(lines)-1]["error"]); got != strings.ReplaceAll(want, "m.yaml", c.file) {
			t.Errorf("the log says %s, want %s", got, want)
		}
		if c.metric(successful) != 0 || c.metric(at) != started || c.metric(ratio) != .1 {
			t.Errorf("after %q: successful %v, at %v, ratio %v", text, c.metric(successful), c.metric(at), c.metric(ratio))
		}
	}
	f("foo: bar\n"+good, "m.yaml:1: unknown option foo, should be one of "+strings.Join(optionNames(t), ", "))
	f("sample: 20\ntarget: http://a\n", `m.yaml:1: sample: sample is "20", should be a share like 25% or 0.25`)
	f("sample: 20%\ntarget:\n  - a=http://a,queue=0\n", "m.yaml:3: target a: queue is 0, should be from 1 to 16777216")
	f("sample: 20%\ntarget: [\n", "m.yaml:2: sequence end token ']' not found")
	f("sample: 20%\ntarget:\n  - {name: a, url: http://a, group: g}\n",
		"m.yaml:3: target a: it is in group g now, but its counters belong to group a; give it another name, or restart")
	f("sample: 20%\n", "--target is missing: name at least one, like --target http://staging:8080")
	os.Remove(c.file)
	c.process.Process.Signal(syscall.SIGHUP)
	eventually(t, "the log says that there is no file", func() bool {
		lines := c.log.all(notLoaded)
		return strings.Contains(fmt.Sprint(lines[len(lines)-1]["error"]), "no such file")
	})

	c.reload(t, strings.Replace(good, "10%", "20%", 1), reloaded)
	if c.metric(successful) != 1 || c.metric(at) < started || c.metric(ratio) != .2 {
		t.Errorf("after a good file: successful %v, at %v, ratio %v", c.metric(successful), c.metric(at), c.metric(ratio))
	}
	if got := c.log.all("mirroring 20% of requests to a=" + target.url()); len(got) != 1 {
		t.Errorf("the log does not say what is in force: %s", c.log)
	}
}

// pipe is one that nobody writes to.
func pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// A reload reads no file that has no end, or takes more memory than a configuration
// needs; afterwards mirrorgate stops as ever.
func TestReloadOfWhatIsNoConfiguration(t *testing.T) {
	c := startConfigured(t, "target: a=http://127.0.0.1:1\n")
	f := func(file, want string) {
		t.Helper()
		os.Remove(c.file)
		if err := os.Symlink(file, c.file); err != nil {
			t.Fatal(err)
		}
		before := len(c.log.all(notLoaded))
		c.process.Process.Signal(syscall.SIGHUP)
		eventually(t, "the log refuses "+file, func() bool { return len(c.log.all(notLoaded)) > before })
		if got := c.log.all(notLoaded)[before]["error"]; got != want {
			t.Errorf("the log says %v, want %s", got, want)
		}
	}
	written := func(text string) string {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	f(written("sample: "+strings.Repeat("[", 30_000)), c.file+":1: more than 100 levels of lists and mappings")
	f(written(strings.Repeat("# no end\n", 1<<17)), "cannot read configuration: "+c.file+" is larger than 1 MiB")
	f("/dev/zero", "cannot read configuration: "+c.file+" is no regular file")
	f(pipe(t), "cannot read configuration: "+c.file+" is no regular file")
	c.stop(t)
}

// While a file is read that takes minutes, for its thousands of keys, mirrorgate
// stops as ever.
func TestStopWhileReloading(t *testing.T) {
	c := startConfigured(t, "target: a=http://127.0.0.1:1\n")
	var long strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&long, "k%d: v\n", i)
	}
	c.reload(t, long.String(), "reading the configuration again")
	c.stop(t)
	if lines := c.log.all(notLoaded); len(lines) > 0 {
		t.Errorf("the file took no time: %v", lines)
	}
}

// optionNames are those that a file may have.
func optionNames(t *testing.T) (names []string) {
	t.Helper()
	values, _ := checked(t, nil, "--target", "http://a")
	for name := range values {
		if !strings.Contains(name, ".") && name != "config" {
			names = append(names, name)
		}
	}
	names = append(names, "target")
	slices.Sort(names)
	return names
}

// What cannot change is named and stays; the rest of the file is taken.
func TestReloadKeepsWhatCannotChange(t *testing.T) {
	target := startRecorder(t)
	c := startConfigured(t, "sample: 10%\nmemory: 1MiB\ntarget: a="+target.url()+"\n", "--methods", "GET")
	c.reload(t, "sample: 20%\nmemory: 1GiB\ndrain: 1s\nloops: 7\nmethods: POST\nconns: 1000\ntarget: a="+target.url()+"\n", reloaded)
	kept := c.log.attr("some options change only at a restart, the old values stay in force", "options")
	if kept != "loops memory drain" {
		t.Errorf("the log names %q", kept)
	}
	if limit, ratio := c.metric("mirrorgate_memory_limit_bytes"), c.metric(`mirrorgate_group_sample_ratio{group="a"}`); limit != 1<<20 || ratio != .2 {
		t.Errorf("the limit is %v and the ratio %v", limit, ratio)
	}
	if len(c.log.all("mirroring 20% of GET requests to a="+target.url())) != 1 {
		t.Errorf("the command line does not go over the file any more: %s", c.log)
	}
	if len(c.log.all("targets may open more connections than files were kept free for: restart to make room")) != 1 {
		t.Errorf("the log does not warn of 1000 connections: %s", c.log)
	}
}

func TestReloadWithoutFile(t *testing.T) {
	target := startRecorder(t)
	a := startAgent(t, "--target", target.url())
	a.process.Process.Signal(syscall.SIGHUP)
	eventually(t, "the log says that there is no file", func() bool {
		return len(a.log.all("nothing to reload: there is no configuration file (--config)")) == 1
	})
}
