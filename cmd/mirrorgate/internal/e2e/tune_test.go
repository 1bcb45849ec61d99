package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// tune runs the command and checks what it prints; TIME stands for a time.
func (a *agent) tune(want string, args ...string) {
	a.t.Helper()
	code, stdout, stderr := mirrorgate(a.t, []string{"MIRRORGATE_ADMIN=" + a.admin}, append([]string{"tune"}, args...)...)
	if code != 0 || stderr != "" || !sameBut(stdout, want) {
		a.t.Errorf("tune %s: exit code %d, %q, %q, want %q", args, code, stdout, stderr, want)
	}
}

// sameBut compares texts; TIME in want stands for a date and a time.
func sameBut(got, want string) bool {
	before, after, ok := strings.Cut(want, "TIME")
	if !ok {
		return got == want
	}
	return len(got) == len(before)+len("2006-01-02 15:04:05")+len(after) && strings.HasPrefix(got, before) && strings.HasSuffix(got, after)
}

// What is tuned holds for the next request, is logged, shows in the metrics, and
// loses nothing.
func TestTune(t *testing.T) {
	origin, first, second := startRecorder(t), startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", "a="+first.url()+",group=v2", "--target", "b="+second.url())
	groups := map[string][]string{"v2": {"a"}, "b": {"b"}}
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	const each = 20
	received := int64(0)
	f := func(wantFirst, wantSecond int) {
		t.Helper()
		before := [2]int{first.count(), second.count()}
		received += each
		c.run(2, upTo(received), nil)
		a.atRest(received, groups)
		if got := first.count() - before[0]; got != wantFirst {
			t.Errorf("a got %d of %d requests, want %d", got, each, wantFirst)
		}
		if got := second.count() - before[1]; got != wantSecond {
			t.Errorf("b got %d of %d requests, want %d", got, each, wantSecond)
		}
	}
	f(each, each)
	a.tune("v2: sample 100% → 0%, for 10m, until TIME\n", "v2", "sample=0%", "for=10m")
	f(0, each)
	a.tune("b: paused false → true, until the configuration is read again\n", "b", "paused=true")
	f(0, 0)
	a.tune("b: sample 100% → 50%, until the configuration is read again\n", "b", "sample=0.5")
	a.tune("b: paused true → false, until the configuration is read again\nb: rate none → 5/s, until the configuration is read again\n", "b", "rate=5/s", "paused=false")
	a.tune("b: rate 5/s → none, for 1h, until TIME\n", "b", "rate=none", "for=1h")
	a.tune("v2: sample 0% → 100%, until the configuration is read again\n", "v2", "sample=100%")
	a.tune("b: sample 50% → 100%, until the configuration is read again\n", "b", "sample=1")
	f(each, each)

	a.tune("v2: sample 100% → 25%, until the configuration is read again\n", "v2", "sample=25%")
	if got := a.value(`mirrorgate_group_sample_ratio{group="v2"}`); got != 0.25 {
		t.Errorf("the metrics say that the sample is %v", got)
	}
	records := a.log.all("tuned")
	if len(records) == 0 || records[0]["group"] != "v2" || records[0]["sample"] != "0%" || records[0]["was"] != "100%" {
		t.Errorf("the log says %v", records)
	}
	c.unharmed(t)
}

// Under load, while settings change all the time, every request is accounted for.
func TestTuneUnderLoad(t *testing.T) {
	origin, target := startRecorder(t), startRecorder(t)
	a := startAgent(t, "--target", "a="+target.url()+",group=v2", "--target", "b="+target.url()+",group=v2")
	c := newCrowd(startProxy(t, sizedSPOE, origin.addr(), a))
	changes := [][3]string{
		{"groups/v2", `{"sample":"10%"}`}, {"targets/a", `{"weight":5}`}, {"targets/b", `{"paused":true}`},
		{"groups/v2", `{"sample":1,"for":"1ms"}`}, {"targets/a", `{"rate":"50/s"}`}, {"targets/b", `{"paused":false,"weight":2}`},
		{"groups/v2", `{"sample":"100%"}`}, {"targets/a", `{"rate":0}`},
	}
	const total = 2000
	c.run(8, upTo(total), func(n int64, _ *fasthttp.Request) {
		if n%20 != 0 {
			return
		}
		change := changes[n/20%int64(len(changes))]
		if status, body := a.patch(change[0], change[1]); status != fasthttp.StatusOK {
			t.Errorf("%v: %d, %s", change, status, body)
		}
	})
	c.unharmed(t)
	a.atRest(total, map[string][]string{"v2": {"a", "b"}})
}

// A wrong question ends with one line that says what would be right.
func TestTuneRefuses(t *testing.T) {
	a := startAgent(t, "--target", "a=http://127.0.0.1:1,group=v2", "--target", "b=http://127.0.0.1:1")
	_, before := a.get("/api/targets")
	env := []string{"MIRRORGATE_ADMIN=" + a.admin}
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, env, args...)
		if code != wantCode || stdout != "" || stderr != "mirrorgate: "+want+"\n" {
			t.Errorf("%q: exit code %d, %q and\n%swant %d and\nmirrorgate: %s", args, code, stdout, stderr, wantCode, want)
		}
	}
	f(exitUsage, `sample is "200%", should be a share like 25% or 0.25`, "tune", "v2", "sample=200%")
	f(exitUsage, `unknown name: there is no group "v3", but b, v2`, "tune", "v3", "sample=2%")
	f(exitUsage, `unknown name: there is no target "v2", but a, b`, "tune", "v2", "paused=true")
	f(exitUsage, `for is "soon", should be a time above 0, like 30s or 10m`, "tune", "v2", "sample=2%", "for=soon")
	f(exitUsage, `tune: "sample" should be SETTING=VALUE, like sample=2%`, "tune", "v2", "sample")
	f(exitUsage, `tune: unknown setting "smaple", should be one of sample, rate, weight, paused, for`, "tune", "v2", "smaple=2%")
	f(exitUsage, "tune: sample is given twice", "tune", "v2", "sample=2%", "sample=3%")
	f(exitUsage, "tune: there is nothing to change: give one of sample, rate, weight, paused", "tune", "v2", "for=10m")
	f(exitUsage, "tune: sample belongs to a group, rate, weight, paused to a target: tune them one after the other", "tune", "b", "sample=2%", "rate=5/s")
	f(exitUsage, `--admin: "nowhere" should be HOST:PORT or a URL`, "tune", "v2", "sample=2%", "--admin=nowhere")
	f(exitUsage, "--admin is empty: without an admin server a running mirrorgate cannot be asked", "status", "--admin=")
	f(exitUsage, "--admin-token-file: cannot read token: open /does/not/exist: no such file or directory", "status", "--admin-token-file=/does/not/exist")
	if _, after := a.get("/api/targets"); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
	a.process.Process.Kill()
	<-a.exited
	unreachable := "cannot reach mirrorgate at " + a.admin + ": connection refused; is it running, and is that what its --admin says?"
	f(exitFailed, unreachable, "tune", "v2", "sample=2%")
	f(exitFailed, unreachable, "status")
	f(exitFailed, unreachable, "status", "--watch")
}

func TestTuneWithToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, "--target", "a=http://127.0.0.1:1", "--admin-token-file", file)
	a.tune("a: sample 100% → 2%, until the configuration is read again\n", "a", "sample=2%", "--admin-token-file", file)
	code, _, stderr := mirrorgate(t, nil, "status", "--admin", a.admin)
	if want := "mirrorgate: mirrorgate asks for the token: give the file that holds it with --admin-token-file\n"; code != exitUsage || stderr != want {
		t.Errorf("without a token: exit code %d and %q, want %q", code, stderr, want)
	}
}
