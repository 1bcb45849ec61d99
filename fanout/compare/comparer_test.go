package compare

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// response makes a whole response from a head and a body, apart by an empty line.
func response(status int, text string) *Response {
	head, body, _ := strings.Cut(text, "\n\n")
	r := &Response{Status: status, Body: []byte(body), Hash: xxhash.Sum64String(body), Length: int64(len(body)), Complete: true}
	if head != "" {
		r.Header = []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n")
	}
	return r
}

func mustIgnore(t testing.TB, rules ...string) *Ignore {
	t.Helper()
	ignore, err := ParseIgnore(rules)
	if err != nil {
		t.Fatal(err)
	}
	return ignore
}

// describe is the result and the fields, as in "body: price; body: id (missing)".
func describe(d *Diff) string {
	s := []string{d.Result.String()}
	for _, f := range d.Fields {
		s = append(s, f.String())
	}
	return strings.Join(s, "; ")
}

func check(t *testing.T, c *Comparer, a, b *Response, want string) {
	t.Helper()
	var d Diff
	c.Pair(&d, a, b, true)
	if got := describe(&d); got != want {
		t.Errorf("%s\n%s\nand\n%s\n%s\nare %q, want %q", a.Header, a.Body, b.Header, b.Body, got, want)
	}
}

func TestStatus(t *testing.T) {
	c := NewComparer(mustIgnore(t))
	check(t, c, response(200, ""), response(200, ""), "same")
	check(t, c, response(200, ""), response(401, ""), "status; status: 200 → 401")
	check(t, c, response(200, "a: 1\n\nx"), response(500, "a: 2\n\ny"), "status; status: 200 → 500; header: a; body")
	grpc := func(status string) *Response {
		return response(200, "content-type: application/grpc\ngrpc-status: "+status)
	}
	check(t, c, grpc("0"), grpc("0"), "same")
	check(t, c, grpc("0"), grpc("13"), "status; status: grpc-status 0 → 13")
	check(t, c, grpc("0"), response(200, "content-type: application/grpc"), "status; status: grpc-status 0 → none")
	check(t, NewComparer(mustIgnore(t, "header:Grpc-Status")), grpc("0"), grpc("13"), "same")
	timeout := &Response{Error: "timeout"}
	check(t, c, response(200, ""), timeout, "error; error: timeout (extra)")
	check(t, c, timeout, response(200, ""), "error; error: timeout (missing)")
	check(t, c, timeout, timeout, "uncompared")
	check(t, c, timeout, &Response{Error: "reset"}, "uncompared")
}

func TestHeader(t *testing.T) {
	c := NewComparer(mustIgnore(t, "header:X-Served-By"))
	f := func(a, b, want string) {
		t.Helper()
		x, y := response(200, a), response(200, b)
		x.Authority, y.Authority = []byte("old:8080"), []byte("new:80")
		check(t, c, x, y, want)
	}
	f("A: 1\nB: 2", "b:2\na: 1 ", "same")
	f("A: 1", "A: 2", "header; header: a")
	f("A: 1", "", "header; header: a (missing)")
	f("", "A: 1", "header; header: a (extra)")
	f("A: 1\nA: 2", "A: 2\nA: 1", "header; header: a")
	f("A: 1\nA: 2", "A: 1", "header; header: a")
	f("A: 1\n  2", "A: 1", "header; header: a")
	f("Date: 1\nAge: 1\nServer: 1\nVia: 1\nContent-Length: 1\nTransfer-Encoding: x\nKeep-Alive: 1\nX-Request-Id: 1\nTraceparent: 1\nAmzn-RequestId: 1", "", "same")
	f("X-Served-By: a", "X-Served-By: b", "same")
	f("Connection: close, X-Hop\nX-Hop: 1", "Connection: keep-alive", "same")
	f(`ETag: "1"`, `ETag: "2"`, "same")
	f(`ETag: "1"`, "", "header; header: etag (missing)")
	f("Set-Cookie: s=1; Path=/\nSet-Cookie: t=1", "Set-Cookie: t=2\nSet-Cookie: s=2", "same")
	f("Set-Cookie: s=1", "Set-Cookie: t=1", "header; header: set-cookie: s (missing); header: set-cookie: t (extra)")
	f("Set-Cookie: s=1", "Set-Cookie: s=1\nSet-Cookie: s=2", "header; header: set-cookie: s (extra)")
	f("Location: http://old:8080/a", "Location: http://NEW:80/a", "same")
	f("Location: http://old:8080/a", "Location: http://new:80/b", "header; header: location")
	f("Location: http://old:8080/a", "Location: https://new:80/a", "header; header: location")
	f("Location: http://old:8080/a", "Location: http://old:8080/a", "header; header: location")
	f("Location: http://else/a", "Location: http://else/a", "same")
	f("Location: /a", "Location: /a", "same")
	f("Location: /?u=//old:8080/", "Location: /?u=//new:80/", "header; header: location")
	f("no colon", "no colon", "same")
}

const jsonHead = "Content-Type: application/json; charset=utf-8\n\n"

func TestJSON(t *testing.T) {
	c := NewComparer(mustIgnore(t, "json:ignored", "json:list[].ignored"))
	f := func(a, b, want string) {
		t.Helper()
		check(t, c, response(200, jsonHead+a), response(200, jsonHead+b), want)
	}
	f(`{"a":1,"b":[1,2]}`, ` { "b" : [1, 2.0], "a" : 1e0 } `, "same")
	f(`{"price":19.99}`, `{"price":0.0}`, "body; body: price")
	f(`{"price":19.99}`, `{"price":"19.99"}`, "body; body: price (type)")
	f(`{"a":true}`, `{"a":false}`, "body; body: a")
	f(`{"a":null}`, `{"a":0}`, "body; body: a (type)")
	f(`{"a":{}}`, `{"a":[]}`, "body; body: a (type)")
	f(`{"a":1,"b":2}`, `{"b":2}`, "body; body: a (missing)")
	f(`{"b":2}`, `{"a":{"c":1},"b":2}`, "body; body: a (extra)")
	f(`{"items":[{"price":1},{"price":2},{"price":3}]}`, `{"items":[{"price":1},{"price":5},{"price":6}]}`, "body; body: items[].price")
	f(`{"items":[1,2]}`, `{"items":[2,1]}`, "body; body: items[]")
	f(`{"items":[1,2]}`, `{"items":[1]}`, "body; body: items[] (missing)")
	f(`{"items":[1]}`, `{"items":[1,[]]}`, "body; body: items[] (extra)")
	f(`[{"a":1}]`, `[{"a":2}]`, "body; body: [].a")
	f(`1`, `2`, "body; body")
	f(`"é"`, `"\u00e9"`, "same")
	f(`{"\u0061":1}`, `{"a":1}`, "same")
	f(`{"users":{"42":{"name":"a"},"43":{"name":"b"}}}`, `{"users":{"42":{"name":"x"},"43":{"name":"y"}}}`, "body; body: users.{id}.name")
	f(`{"a.b":{"c d":1}}`, `{"a.b":{"c d":2}}`, `body; body: ["a.b"]["c d"]`)
	f(`{"ignored":{"a":1},"list":[{"ignored":1}]}`, `{"ignored":{"a":2},"list":[{}]}`, "same")
	f(`{"ignoredtoo":1}`, `{"ignoredtoo":2}`, "body; body: ignoredtoo")
	f(`{"a":1,"a":2}`, `{"a":1,"a":3}`, "body; body: a")
	f(`{"a":1}`, `{"a":1`, "body; body (type)")
	f(`{`, `{{`, "body; body")
	f(strings.Repeat("[", 400), strings.Repeat("[", 401), "body; body")
	var many strings.Builder
	for i := range 400 {
		fmt.Fprintf(&many, `,"k%c%c":1`, 'a'+i/20, 'a'+i%20)
	}
	var d Diff
	c.Pair(&d, response(200, jsonHead+`{"a":1`+many.String()+"}"), response(200, jsonHead+`{"a":1}`), true)
	if len(d.Fields) != maxFields || d.Fields[maxFields-1] != OtherField || !d.Explained {
		t.Errorf("400 missing keys are %d fields, the last %v", len(d.Fields), d.Fields[len(d.Fields)-1])
	}
	// A document of more values than are parsed is compared by its bytes.
	check(t, c, response(200, jsonHead+"[1"+strings.Repeat(",1", maxValues)+"]"), response(200, jsonHead+"[ 1"+strings.Repeat(",1", maxValues)+"]"), "body; body")
}

func TestNumber(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		if got := sameNumber([]byte(a), []byte(b)); got != want || sameNumber([]byte(b), []byte(a)) != got {
			t.Errorf("%s and %s: same is %v, want %v", a, b, got, want)
		}
	}
	f("1", "1.0", true)
	f("1", "10e-1", true)
	f("1", "0.01e2", true)
	f("100", "1E+2", true)
	f("0.00120", "1.2e-3", true)
	f("0", "-0.00e5", true)
	f("0", "0.1", false)
	f("-0.0", "0.5", false)
	f("1", "-1", false)
	f("12", "1.2", false)
	f("12", "102", false)
	f("12", "120", false)
	f("9007199254740993", "9007199254740992", false)
	f("0.1", "0.10000000000000001", false)
	f("1e999999999999999999999", "1e9999999999999999999999", true) // beyond all reason
	f("1-2", "1-2", true)
	f("1-2", "1", false)
	f("1e", "1", false)
	f("nan", "0", false)
	f("", "0", false)
	f(".", "0", false)
}

func TestOtherBodies(t *testing.T) {
	c := NewComparer(mustIgnore(t))
	f := func(mediaType, a, b, want string) {
		t.Helper()
		check(t, c, response(200, "Content-Type: "+mediaType+"\n\n"+a), response(200, "Content-Type: "+mediaType+"\n\n"+b), want)
	}
	const form = "application/x-www-form-urlencoded"
	f(form, "a=1&b=%32", "b=2&a=1", "same")
	f(form, "a=1&a=2", "a=2&a=1", "body; body: a")
	f(form, "a=1&b=+", "a=1&b=%20&c", "body; body: c (extra)")
	f(form, "a=1&b=2", "a=2", "body; body: a; body: b (missing)")
	f(form, "a=%", "a=%2", "body; body: a")
	f("text/html", "a\nb", "a\nc", "body; body")
	f("image/png", "a", "b", "body; body")
	f("application/vnd.api+json", `{"a":1}`, `{"a":2}`, "body; body: a")
	f("", `{"a":1}`, `{"a":2}`, "body; body: a")
	f("", `<a>`, `<b>`, "body; body")
	check(t, c, response(200, jsonHead+"{}"), response(200, "Content-Type: text/html\n\n<p>"), "header; header: content-type; body (type)")

	var d Diff
	c.Pair(&d, response(200, "Content-Type: text/plain\n\na\nb\nc"), response(200, "Content-Type: text/plain\n\na\nb\nd"), true)
	if d.Line != 3 {
		t.Errorf("first differing line is %d, want 3", d.Line)
	}
}

// encodings are the codings that are taken off.
var encodings = map[string]func(string) string{
	"gzip": func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	},
	"deflate": func(s string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	},
	"Deflate": func(s string) string {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 5)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	},
	"br": func(s string) string {
		var b bytes.Buffer
		w := brotli.NewWriterLevel(&b, 2)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	},
	"zstd": func(s string) string { w, _ := zstd.NewWriter(nil); return string(w.EncodeAll([]byte(s), nil)) },
}

func TestEncodings(t *testing.T) {
	c := NewComparer(mustIgnore(t))
	const plain = `{"price":19.99,"name":"lamp"}`
	bomb := `{"a":"` + strings.Repeat("a", MaxDecoded) + `"}`
	for name, encode := range encodings {
		encoded := func(s string) *Response {
			return response(200, "Content-Type: application/json\nContent-Encoding: "+name+"\n\n"+encode(s))
		}
		tooLarge := encoded(bomb)
		for range 2 { // readers are used again
			check(t, c, response(200, jsonHead[:30]+"\n\n"+plain), encoded(plain), "same")
			check(t, c, encoded(plain), encoded(`{"name":"lamp","price":19.990}`), "same")
			check(t, c, encoded(plain), encoded(`{"price":0,"name":"lamp"}`), "body; body: price")
			check(t, c, response(200, jsonHead[:30]+"\n\n"+plain), tooLarge, "uncompared")
			check(t, c, encoded(plain), tooLarge, "body; body")
			damaged := encoded(plain)
			damaged.Body = damaged.Body[:len(damaged.Body)-3]
			damaged.Length = int64(len(damaged.Body))
			check(t, c, response(200, jsonHead[:30]+"\n\n"+plain), damaged, "uncompared")
		}
	}
	unknown := response(200, "Content-Type: application/json\nContent-Encoding: compress\n\nx")
	check(t, c, unknown, response(200, "Content-Type: application/json\nContent-Encoding: compress\n\ny"), "body; body")
	check(t, c, unknown, response(200, "Content-Type: application/json\n\ny"), "uncompared")
}

func TestUncompared(t *testing.T) {
	c := NewComparer(mustIgnore(t))
	f := func(a, b *Response, explain bool, want Diff) {
		t.Helper()
		var d Diff
		c.Pair(&d, a, b, explain)
		if d.Result != want.Result || d.Explained != want.Explained || d.ByHash != want.ByHash {
			t.Errorf("got %+v, want %+v", d, want)
		}
	}
	cut := response(200, "\n\nabc")
	cut.Complete = false
	large, larger := response(200, "\n\nabc"), response(200, "\n\nabcd")
	large.Body, larger.Body = large.Body[:1], larger.Body[:1]
	gzipped := response(200, "Content-Encoding: gzip\n\nabc")
	gzipped.Body = nil
	failing := response(500, "\n\n")
	f(cut, cut, true, Diff{Result: Uncompared})
	f(cut, failing, true, Diff{Result: Status, Explained: true})
	f(cut, response(200, "a: b\n\nabc"), true, Diff{Result: Header})
	f(large, large, true, Diff{Explained: true})
	f(large, larger, true, Diff{Result: Body, Explained: true})
	f(large, gzipped, true, Diff{Result: Uncompared})
	f(large, gzipped, false, Diff{Result: Uncompared})
	f(large, large, false, Diff{})
	f(large, larger, false, Diff{Result: Body, ByHash: true})
	f(response(200, jsonHead+`{}`), response(200, jsonHead+`{ }`), false, Diff{Result: Body, ByHash: true})
	f(failing, large, false, Diff{Result: Status, ByHash: true})
}

func TestIgnore(t *testing.T) {
	ignore := mustIgnore(t, "path:/health", "json:items[].id", `json:["a.b"].c`, "header:X-A")
	f := func(target string, want bool) {
		t.Helper()
		if got := ignore.Path([]byte(target)); got != want {
			t.Errorf("%s is ignored: %v, want %v", target, got, want)
		}
	}
	f("/health", true)
	f("/healthz?x", true)
	f("/a?/health", false)
	f("/heal", false)

	bad := func(rule, want string) {
		t.Helper()
		if _, err := ParseIgnore([]string{rule}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, want %q", rule, err, want)
		}
	}
	bad("", "want header:NAME, json:PATH or path:PREFIX")
	bad("headers:a", "want header:NAME")
	bad("header:", "no header name")
	bad("header:a b", "no header name")
	bad("json:", "empty")
	bad("json:$.a", "starts with a key")
	bad("json:.a", "starts with a key")
	bad("json:a..b", "a key is empty")
	bad("json:a[0]", "indexes are folded")
	bad("json:a[", "indexes are folded")
	bad("json:a]", "] without [")
	bad(`json:["a`, "in quotes")
	bad("path:health", "starts with /")
	bad("path:/a?b", "no query")
}

func TestBudget(t *testing.T) {
	const second = time.Second
	b := NewBudget(0.1, 0)
	spend := func(now time.Duration) int {
		n := 0
		for ; b.Admit(now); n++ {
			b.Spend(time.Millisecond)
		}
		return n
	}
	f := func(now time.Duration, want int) {
		t.Helper()
		if got := spend(now); got != want {
			t.Errorf("after %v %d pairs are explained, want %d", now, got, want)
		}
	}
	f(0, 100) // saved up for a second
	f(0, 0)
	f(second/2, 50)
	f(100*second, 100)
	b.Spend(50 * time.Millisecond)
	f(100*second+second/2, 0)
	f(100*second+second, 50)
	f(0, 0) // a clock that goes back brings nothing

	b = NewBudget(0, 0)
	f(second, 0)
	b = NewBudget(math.Inf(1), 0)
	for now := range time.Duration(1000) {
		if !b.Admit(now) {
			t.Fatal("a pair is not explained without a bound")
		}
		b.Spend(time.Hour)
	}
}

// TestEqualAllocatesNothing covers what most pairs are: equal, and equal but for
// the date and the order of keys.
func TestEqualAllocatesNothing(t *testing.T) {
	c := NewComparer(mustIgnore(t))
	var d Diff
	f := func(a, b *Response, want string) {
		t.Helper()
		check(t, c, a, b, want)
		if n := testing.AllocsPerRun(100, func() { c.Pair(&d, a, b, true) }); n != 0 {
			t.Errorf("%s: %v allocations", want, n)
		}
	}
	a, b := catalogue(1), catalogue(1)
	f(a, b, "same")
	b.Header = bytes.Replace(b.Header, []byte("10:00:00"), []byte("10:00:01"), 1)
	f(a, b, "same")
	f(response(200, jsonHead+`{"a":1,"b":{"c":[1,2]}}`), response(200, jsonHead+`{"b":{"c":[1,2.0]},"a":1}`), "same")
	f(catalogue(1), catalogue(2), "body; body: items[].price")
}

// catalogue is a response of some 2 kB of JSON; its prices depend on the seed.
func catalogue(seed uint64) *Response {
	rng := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for i := range 22 {
		fmt.Fprintf(&b, `,{"id":%d,"name":"a lamp of brass, number %d","price":%.2f,"tags":["brass","lamp"]}`, i, i, 1+rng.Float64()*100)
	}
	return response(200, "Date: Mon, 01 Jan 2024 10:00:00 GMT\nContent-Type: application/json\nCache-Control: no-cache\nX-Request-Id: 12345\n"+
		"Vary: Accept\nContent-Length: 2000\nServer: app\n\n"+`{"items":[`+b.String()[1:]+`]}`)
}

func BenchmarkPair(b *testing.B) {
	c := NewComparer(mustIgnore(b))
	f := func(name string, x, y *Response) {
		b.Run(name, func(b *testing.B) {
			var d Diff
			b.SetBytes(x.Length)
			b.ReportAllocs()
			for b.Loop() {
				c.Pair(&d, x, y, true)
			}
		})
	}
	x, y := catalogue(1), catalogue(1)
	f("equal", x, y)
	y.Header = bytes.Replace(y.Header, []byte("10:00:00"), []byte("10:00:01"), 1)
	f("date", x, y)
	f("json", x, catalogue(2))
	zipped := response(200, "Content-Type: application/json\nCache-Control: no-cache\nVary: Accept\nContent-Encoding: gzip\n\n"+encodings["gzip"](string(x.Body)))
	f("gzip-and-plain", x, zipped)
}

func FuzzPair(f *testing.F) {
	f.Add([]byte("Content-Type: application/json\r\nSet-Cookie: a=1\r\n"), []byte(`{"a":[1,"b",{"c":1.0}]}`), []byte(`{"a":[1,"b",{"c":1.1}]}`))
	f.Add([]byte("Content-Encoding: gzip\r\nConnection: a\r\n"), []byte(encodings["gzip"]("x")), []byte("y"))
	f.Add([]byte("Content-Encoding: zstd\r\n b\r\n:\r\n"), []byte(encodings["zstd"]("x")), []byte("y"))
	f.Add([]byte("content-type: application/x-www-form-urlencoded\n"), []byte("a=1&b=%3"), []byte("a=2&c"))
	c := NewComparer(mustIgnore(f))
	f.Fuzz(func(t *testing.T, header, x, y []byte) {
		whole := func(body []byte) *Response {
			return &Response{Status: 200, Header: header, Body: body, Hash: xxhash.Sum64(body), Length: int64(len(body)), Complete: true, Authority: []byte("a:1")}
		}
		a, b := whole(x), whole(y)
		var there, back, itself Diff
		c.Pair(&itself, a, whole(bytes.Clone(x)), true)
		if itself.Result != Same || !itself.Explained {
			t.Fatalf("a response differs from itself: %+v", itself)
		}
		c.Pair(&there, a, b, true)
		c.Pair(&back, b, a, true)
		if there.Result != back.Result || len(there.Fields) != len(back.Fields) {
			t.Fatalf("%+v there, %+v back", there, back)
		}
	})
}

func FuzzNumber(f *testing.F) {
	f.Add([]byte("1.0"), []byte("10e-1"))
	f.Add([]byte("-0.0"), []byte("0e7"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if !sameNumber(a, a) || sameNumber(a, b) != sameNumber(b, a) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
