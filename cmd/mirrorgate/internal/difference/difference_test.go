package difference

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

var (
	price = compare.Field{Layer: compare.Body, Path: "items[].price"}
	etag  = compare.Field{Layer: compare.Header, Path: "etag", Kind: compare.Missing}
)

func TestRows(t *testing.T) {
	var fields []compare.Field
	f := func(against, mirror example.Side, want string) {
		t.Helper()
		got := "\n"
		for _, r := range rows(&example.Example{Fields: fields, Against: against, Mirror: mirror}) {
			mark := map[Mark]string{Same: " ", Differs: "!", Ignored: "~"}[r.Mark]
			got += fmt.Sprintf("%.1s%s|%s|%s|%s\n", r.Part, mark, r.Against, r.Mirror, r.Field)
		}
		if got != want {
			t.Errorf("got%s\nwant%s", got, want)
		}
	}
	side := func(status int, header, body string) example.Side {
		return example.Side{Status: status, Header: header, Body: body}
	}
	field := func(layer compare.Result, path string, kind compare.Kind) compare.Field {
		return compare.Field{Layer: layer, Path: path, Kind: kind}
	}
	fields = []compare.Field{field(compare.Status, "200 → 404", compare.Value), etag}
	f(side(200, "Date: 1\r\nETag: \"a\"\r\nX: 1\r\nX: 2\r\n", ""), side(404, "date: 2\r\nX: 1\r\nY: 3\r\n", ""), `
s!|200|404|status: 200 → 404
h~|Date: 1|date: 2|
h!|ETag: "a"||header: etag (missing)
h |X: 1|X: 1|
h~|X: 2||
h~||Y: 3|
`)
	fields = []compare.Field{field(compare.Body, "a", compare.Type), field(compare.Body, "b[].d", compare.Extra), field(compare.Body, "b[]", compare.Extra)}
	f(side(200, "", `{"b":[1,{"c":"<"}],"a":1.10,"n":{}}`), side(200, "", `{"a":"1","b":[1,{"c":"<","d":[true,null]},2]}`), `
s |200|200|
b |{|{|
b!|  "a": 1.10,|  "a": "1",|body: a (type)
b |  "b": [|  "b": [|
b |    1,|    1,|
b |    {|    {|
b |      "c": "<",|      "c": "<",|
b!||      "d": [|body: b[].d (extra)
b!||        true,|body: b[].d (extra)
b!||        null|body: b[].d (extra)
b!||      ]|body: b[].d (extra)
b |    },|    },|
b!||    2|body: b[] (extra)
b |  ],|  ],|
b~|  "n": {}||
b |}|}|
`)
	fields = []compare.Field{field(compare.Error, "timeout", compare.Missing)}
	f(example.Side{Error: "timeout"}, side(200, "", "two\nlines\n"), `
s!|timeout|200|error: timeout (missing)
b~||two|
b~||lines|
`)
	fields = []compare.Field{field(compare.Body, "b", compare.Value)}
	f(side(200, "Content-Type: application/x-www-form-urlencoded\n", "a=1&b=2"), side(200, "content-type: application/x-www-form-urlencoded\n", "a=1&b=3"), `
s |200|200|
h~|Content-Type: application/x-www-form-urlencoded|content-type: application/x-www-form-urlencoded|
b |a=1&|a=1&|
b!|b=2|b=3|body: b
`)
}

func TestHas(t *testing.T) {
	e := &example.Example{Fields: []compare.Field{price, etag}}
	f := func(name string, want bool) {
		t.Helper()
		if got := Has(e, name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	f("body: items[].price", true)
	f("items[].price", true)
	f("header: etag (missing)", true)
	f("header: etag", true)
	f("etag", true)
	f("header: etag (extra)", false)
	f("price", false)
	f("", false)
}

// The request goes to the target, below the path of its URL.
func TestURL(t *testing.T) {
	f := func(base, target, want string) {
		t.Helper()
		at, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		d := Of([]*example.Example{{Method: "GET", Target: target}}, at)[0]
		if d.URL != want || !strings.HasSuffix(d.Curl, " '"+want+"'") {
			t.Errorf("%s at %s: %s, want %s", target, base, d.Curl, want)
		}
	}
	f("http://new:8080", "/a?b=c", "http://new:8080/a?b=c")
	f("http://new:8080/v2/", "/a", "http://new:8080/v2/a")
	f("http://new", "*", "http://new")
}

func TestArchive(t *testing.T) {
	e := &example.Example{
		Time: time.Unix(0, 0).UTC(), Fields: []compare.Field{price}, Method: "POST", Target: "/a?x=%20&y", Header: "Content-Type: text/a\r\n", Body: "abc",
		Against: example.Side{Status: 200, Header: "Content-Type: text/b\r\n", Body: "d", Seconds: .25}, Mirror: example.Side{Error: "timeout"},
	}
	target, _ := url.Parse("http://new")
	list := List{Target: "v2", Against: "v1", Examples: Of([]*example.Example{e}, target)}
	b, err := json.Marshal(list.Archive("v1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	request := `"request":{"method":"POST","url":"http://new/a?x=%20\u0026y","httpVersion":"HTTP/1.1","cookies":[],"headers":[{"name":"Content-Type","value":"text/a"}],` +
		`"queryString":[{"name":"x","value":" "},{"name":"y","value":""}],"postData":{"mimeType":"text/a","params":[],"text":"abc"},"headersSize":-1,"bodySize":3}`
	want := `{"log":{"version":"1.2","creator":{"name":"mirrorgate","version":"v1.2.3"},"entries":[` +
		`{"startedDateTime":"1970-01-01T00:00:00Z","time":250,` + request + `,"response":{"status":200,"statusText":"OK","httpVersion":"HTTP/1.1","cookies":[],` +
		`"headers":[{"name":"Content-Type","value":"text/b"}],"content":{"size":1,"mimeType":"text/b","text":"d"},"redirectURL":"","headersSize":-1,"bodySize":-1},` +
		`"cache":{},"timings":{"send":0,"wait":250,"receive":0},"comment":"v1, differs in body: items[].price"},` +
		`{"startedDateTime":"1970-01-01T00:00:00Z","time":0,` + request + `,"response":{"status":0,"statusText":"","httpVersion":"HTTP/1.1","cookies":[],` +
		`"headers":[],"content":{"size":0,"mimeType":"","text":""},"redirectURL":"","headersSize":-1,"bodySize":-1,"_error":"timeout"},` +
		`"cache":{},"timings":{"send":0,"wait":0,"receive":0},"comment":"v2, differs in body: items[].price"}]}}`
	if string(b) != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
}
