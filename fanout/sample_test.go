package fanout

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// newChooser makes a Fanout that selects targets and then drops everything, for
// it may hold no payload. by is what --sample-by says.
func newChooser(t testing.TB, by string, specs ...string) *Fanout {
	t.Helper()
	key, err := ParseSampleKey(by)
	if err != nil {
		t.Fatal(err)
	}
	f := newFanout(t, func(c *Config) { c.Memory, c.SampleBy = 1, key }, specs...)
	t.Cleanup(func() { drain(t, f) })
	return f
}

// chosen returns the index of the target that f selects for r, or -1.
func chosen(f *Fanout, r codec.Request) int {
	before := make([]uint64, len(f.targets))
	for i, tg := range f.targets {
		before[i] = tg.metrics.selected.Get()
	}
	f.Submit([]codec.Request{r})
	for i, tg := range f.targets {
		if tg.metrics.selected.Get() > before[i] {
			return i
		}
	}
	return -1
}

func user(n int) codec.Request {
	return request("GET", "/", "", "host", "h", "x-user", fmt.Sprint("user-", n))
}

// near asserts that got of n is the given share, within points percent.
func near(t *testing.T, what string, got, n int, share, points float64) {
	t.Helper()
	if percent := 100 * float64(got) / float64(n); math.Abs(percent-100*share) > points {
		t.Errorf("%s: %.2f%%, want %.2f%% within %v points", what, percent, 100*share, points)
	}
}

// The same user is in or out on every agent, and who is in at 5% is in at 10%.
func TestKeyedSampleIsNestedAndEqual(t *testing.T) {
	const users = 20000
	at5 := newChooser(t, "header:X-User", "http://127.0.0.1:1,sample=5%")
	again := newChooser(t, "header:x-user", "other=http://127.0.0.1:2,sample=5%,group=g")
	at10 := newChooser(t, "header:x-user", "http://127.0.0.1:1,sample=10%")
	in5, in10 := 0, 0
	for i := range users {
		a, b, c := chosen(at5, user(i)), chosen(again, user(i)), chosen(at10, user(i))
		if a != b {
			t.Errorf("user %d: two agents disagree", i)
		}
		if a == 0 && c != 0 {
			t.Fatalf("user %d is in at 5%% and out at 10%%", i)
		}
		in5 += 1 + a
		in10 += 1 + c
	}
	near(t, "in at 5%", in5, users, .05, 1)
	near(t, "in at 10%", in10, users, .10, 1)
}

// Requests that the key cannot tell apart share their luck; those that it can,
// do not. A sample of half the users makes luck visible.
func TestSampleKeys(t *testing.T) {
	type make = func(n int) codec.Request
	f := func(what, by string, first, second make) {
		t.Helper()
		fan := newChooser(t, by, "http://127.0.0.1:1,sample=50%")
		in := 0
		for i := range 200 {
			a := chosen(fan, first(i))
			if b := chosen(fan, second(i)); a != b {
				t.Fatalf("%s: request %d is %d, its like is %d", what, i, a, b)
			}
			in += 1 + a
		}
		if in < 50 || in > 150 {
			t.Errorf("%s: %d of 200 keys are in at 50%%", what, in)
		}
	}
	with := func(path string, headers ...string) make {
		return func(n int) codec.Request {
			fill := func(s string) string { return strings.ReplaceAll(s, "%d", strconv.Itoa(n)) }
			var filled []string
			for _, h := range headers {
				filled = append(filled, fill(h))
			}
			return request("GET", fill(path), "", filled...)
		}
	}
	f("header", "header:X-User", with("/a", "x-user", "%d"), with("/b", "host", "h", "X-USER", "%d"))
	f("first header counts", "header:x-user", with("/a", "x-user", "%d", "x-user", "a"), with("/a", "x-user", "%d"))
	f("hop-by-hop header", "header:x-user", with("/a", "x-user", "%d", "connection", "x-user"), with("/a", "x-user", "%d"))
	f("cookie", "cookie:id", with("/a", "cookie", "id=%d"), with("/b", "cookie", "a=b; id=%d; c=d"))
	f("cookie in the second header", "cookie:id", with("/a", "cookie", "id=%d"), with("/a", "cookie", "a=b", "cookie", "xid=1;id=%d;id=2"))
	f("path without the query", "path", with("/p/%d"), with("/p/%d?q=1"))
	f("path of an absolute URL", "path", with("/p/%d"), with("http://u/p/%d?q"))
}

// Headers that are deleted on the way out are keys all the same.
func TestDeletedHeaderIsAKey(t *testing.T) {
	key, _ := ParseSampleKey("header:x-user")
	f := newFanout(t, func(c *Config) { c.Memory, c.SampleBy, c.DelHeaders = 1, key, []string{"X-User"} }, "http://127.0.0.1:1,sample=50%")
	defer drain(t, f)
	plain := newChooser(t, "header:x-user", "http://127.0.0.1:1,sample=50%")
	for i := range 200 {
		if a, b := chosen(f, user(i)), chosen(plain, user(i)); a != b {
			t.Fatalf("user %d: %d with the header deleted, %d without", i, a, b)
		}
	}
}

// Without a key, each request and each group has luck of its own.
func TestRandomSample(t *testing.T) {
	const n = 100_000
	f := func(by string, r codec.Request) {
		t.Helper()
		fan := newChooser(t, by, "http://127.0.0.1:1,sample=10%", "http://127.0.0.1:1,sample=10%", "http://127.0.0.1:1,sample=0", "http://127.0.0.1:1")
		batch := make([]codec.Request, 100)
		for i := range batch {
			batch[i] = r
		}
		for range n / len(batch) {
			fan.Submit(batch)
		}
		in := func(i int) int { return int(fan.targets[i].metrics.selected.Get()) }
		near(t, by+": first group", in(0), n, .1, 1)
		near(t, by+": second group", in(1), n, .1, 1)
		if in(2) != 0 || in(3) != n {
			t.Errorf("%s: %d of %d in at 0%%, %d in at 100%%", by, in(2), n, in(3))
		}
	}
	f("random", user(1))
	f("header:x-other", user(1))
	f("cookie:id", request("GET", "/", "", "cookie", "id; xid=2; i=3"))

	fan := newChooser(t, "random", "http://127.0.0.1:1,sample=50%", "http://127.0.0.1:1,sample=50%")
	apart := 0
	for range 1000 {
		before := fan.targets[0].metrics.selected.Get() + fan.targets[1].metrics.selected.Get()
		fan.Submit([]codec.Request{user(1)})
		if fan.targets[0].metrics.selected.Get()+fan.targets[1].metrics.selected.Get() == before+1 {
			apart++
		}
	}
	near(t, "in one of two groups only", apart, 1000, .5, 10)
}

func TestWeights(t *testing.T) {
	const n = 100_000
	count := func(by string, r func(i int) codec.Request, specs ...string) (got [2]int) {
		t.Helper()
		fan := newChooser(t, by, specs...)
		for i := range n {
			fan.Submit([]codec.Request{r(i)})
		}
		return [2]int{int(fan.targets[0].metrics.selected.Get()), int(fan.targets[1].metrics.selected.Get())}
	}
	same := func(int) codec.Request { return user(1) }
	got := count("random", same, "http://127.0.0.1:1,group=g,weight=3", "http://127.0.0.1:1,group=g,weight=1")
	if got[0]+got[1] != n {
		t.Errorf("%v of %d requests selected", got, n)
	}
	near(t, "random", got[0], n, .75, 2)
	// Weights stay true inside a small sample by the same key.
	got = count("header:x-user", user, "http://127.0.0.1:1,group=g,weight=3,sample=5%", "http://127.0.0.1:1,group=g,weight=1,sample=5%")
	near(t, "sample", got[0]+got[1], n, .05, 1)
	near(t, "inside the sample", got[0], got[0]+got[1], .75, 3)
}

// A user stays with one target of a group, but users of one target are not all
// together in another group.
func TestKeyedPick(t *testing.T) {
	const users = 2000
	specs := []string{"http://127.0.0.1:1,group=g", "http://127.0.0.1:1,group=g"}
	a, b := newChooser(t, "header:x-user", specs...), newChooser(t, "header:x-user", specs...)
	other := newChooser(t, "header:x-user", "http://127.0.0.1:1,group=other", "http://127.0.0.1:1,group=other")
	together := 0
	for i := range users {
		at := chosen(a, user(i))
		if again := chosen(a, user(i)); again != at {
			t.Fatalf("user %d moved from %d to %d", i, at, again)
		}
		if again := chosen(b, user(i)); again != at {
			t.Fatalf("user %d is at %d and, on another agent, at %d", i, at, again)
		}
		if at == chosen(other, user(i)) {
			together++
		}
	}
	near(t, "same place in another group", together, users, .5, 10)
}
