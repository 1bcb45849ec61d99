package recordings

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/export"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.Local)

// source has four requests, one of them no request.
func source() *once {
	at := func(d time.Duration) int64 { return noon.Add(d).UnixNano() }
	return &once{
		{Time: at(0), Took: -1, Wire: []byte("GET /items/1?token=abc&q=1 HTTP/1.1\r\nhost: h:81\r\ncookie: s=secret\r\n\r\n")},
		{Time: at(time.Second), Status: 404, Took: 12, ID: []byte("id\x1b-1"), Client: netip.MustParseAddr("192.0.2.1"),
			Wire: []byte("POST /login HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\nx-empty: \r\ncontent-length: 36\r\n\r\n{\"user\":\"it's\",\"password\":\"secret\"}\n")},
		{Time: at(time.Second), Status: 503, Took: -1, Wire: []byte("PUT /items/2 HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n\x00\x1b'\\\n")},
		{Time: at(2 * time.Second), Took: -1, Wire: []byte("nonsense")},
	}
}

// once is a source of one block.
type once []record.Record

func (o *once) Next() ([]record.Record, error) {
	if *o == nil {
		return nil, io.EOF
	}
	all := *o
	*o = nil
	return all, nil
}

var hash = regexp.MustCompile("masked:[0-9a-f]{16}")

// written is what a Writer makes of the requests, with all hashes alike.
func written(t *testing.T, f *Filter, make func(io.Writer, *Mask) Writer, unmask bool) string {
	t.Helper()
	m, err := NewMask(unmask, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Write(source(), f, make(&out, m)); err != nil {
		t.Fatal(err)
	}
	return hash.ReplaceAllString(out.String(), "HASH")
}

func filter(t *testing.T, routes, statuses []string) *Filter {
	t.Helper()
	f, err := NewFilter(routes, statuses)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestList(t *testing.T) {
	f := func(routes, statuses []string, want ...string) {
		t.Helper()
		if got := written(t, filter(t, routes, statuses), NewList, false); got != strings.Join(want, "") {
			t.Errorf("%q %q:\n%swant\n%s", routes, statuses, got, strings.Join(want, ""))
		}
	}
	get := "2026-11-26 12:00:00.000    -       -       0  -  -  GET /items/1?token=HASH&q=1\n"
	post := "2026-11-26 12:00:01.000  404    12ms      36  192.0.2.1  id\ufffd-1  POST /login\n"
	put := "2026-11-26 12:00:01.000  503       -       5  -  -  PUT /items/2\n"
	none := "2026-11-26 12:00:02.000    -       -       0  -  -  ? nonsense\n"
	f(nil, nil, get, post, put, none)
	f([]string{"GET /items/*"}, nil, get)
	f([]string{"* /items/*"}, nil, get, put)
	f(nil, []string{"5xx"}, put)
	f(nil, []string{"unknown"}, get, none)
	f([]string{"PUT /items/*", "GET /items/*"}, []string{"503"}, put)
	for _, bad := range []string{"x", "6", "1000", "0xx"} {
		if _, err := NewFilter(nil, []string{bad}); err == nil {
			t.Errorf("status %q is taken", bad)
		}
	}
	if _, err := NewFilter([]string{"x"}, nil); err == nil {
		t.Error("a route without a method is taken")
	}
}

func TestCat(t *testing.T) {
	cat := func(w io.Writer, m *Mask) Writer { return NewCat(w, m, false) }
	terminal := func(w io.Writer, m *Mask) Writer { return NewCat(w, m, true) }
	masked := written(t, filter(t, nil, nil), cat, false)
	for _, want := range []string{
		"GET /items/1?token=HASH&q=1 HTTP/1.1\r\nhost: h:81\r\ncookie: s=HASH\r\n\r\n",
		", production's status 404 in 12 ms, from 192.0.2.1, id id", `{"user":"it's","password":"HASH"}`, "\r\n\r\n(5 bytes)\n",
	} {
		if !strings.Contains(masked, want) {
			t.Errorf("masked: no %q in %q", want, masked)
		}
	}
	if strings.Contains(masked, "secret") || strings.Contains(masked, "abc") {
		t.Errorf("a secret is shown: %q", masked)
	}
	whole := written(t, filter(t, nil, nil), cat, true)
	if !strings.Contains(whole, "cookie: s=secret\r\n") || !strings.Contains(whole, "\r\n\r\n\x00\x1b'\\\n") {
		t.Errorf("unmasked: %q", whole)
	}
	if tame := written(t, filter(t, nil, nil), terminal, true); strings.ContainsAny(tame, "\x00\x1b\r") {
		t.Errorf("a terminal gets %q", tame)
	}
}

// Each request is a line, whatever can be shown of it.
func TestCurl(t *testing.T) {
	f := func(unmask bool, status, want string) {
		t.Helper()
		if got := written(t, filter(t, nil, []string{status}), NewCurl, unmask); got != want+"\n" {
			t.Errorf("%s:\n%swant\n%s", status, got, want)
		}
	}
	const login = `curl -sS -i -g --path-as-is -X 'POST' 'http://h/login' -H 'host: h' -H 'content-type: application/json' -H 'x-empty;' --data-raw `
	f(true, "404", login+`$'{"user":"it\'s","password":"secret"}\n'`)
	f(false, "404", login+`'{"user":"it'\''s","password":"HASH"}'`)
	f(false, "503", "curl -sS -i -g --path-as-is -X 'PUT' 'http://h/items/2' -H 'host: h' # without its body: (5 bytes), see --unmask")
}

func TestHAR(t *testing.T) {
	f := func(unmask bool, check func(entries []export.Entry)) {
		t.Helper()
		text := written(t, filter(t, nil, nil), func(w io.Writer, m *Mask) Writer { return NewHAR(w, m, "1.0") }, unmask)
		var file struct {
			Log struct {
				Version string
				Entries []export.Entry
			}
		}
		if err := json.Unmarshal([]byte(text), &file); err != nil || file.Log.Version != "1.2" || len(file.Log.Entries) != 4 {
			t.Fatalf("%v in %s", err, text)
		}
		check(file.Log.Entries)
	}
	f(false, func(e []export.Entry) {
		if e[0].Request.URL != "http://h:81/items/1?token=HASH&q=1" || e[0].Request.QueryString[0].Value != "HASH" {
			t.Errorf("%+v", e[0])
		}
		if e[1].Request.Method != "POST" || e[1].Response.Status != 404 || e[1].Time != 12 || e[1].Request.PostData.Text != `{"user":"it's","password":"HASH"}` {
			t.Errorf("%+v", e[1])
		}
		if p := e[2].Request.PostData; p.Text != "" || p.Comment != "not shown: (5 bytes)" || e[2].Request.BodySize != 5 {
			t.Errorf("%+v", p)
		}
	})
	f(true, func(e []export.Entry) {
		if p := e[2].Request.PostData; p.Encoding != "" || p.Text != "\x00\x1b'\\\n" {
			t.Errorf("%+v", p)
		}
		if e[0].Request.Headers[1].Value != "s=secret" {
			t.Errorf("%+v", e[0].Request.Headers)
		}
	})
}

func TestStat(t *testing.T) {
	stat := NewStat()
	if err := Write(source(), filter(t, nil, nil), stat); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	stat.Report(&out)
	want := `requests  4, 267 bytes
from      2026-11-26 12:00:00.000
to        2026-11-26 12:00:02.000, 2s
peak      2/s at 2026-11-26 12:00:01
status    4xx 1, 5xx 1, unknown 2

  REQUESTS  TIME, BY 1s
         1  2026-11-26 12:00:00
         2  2026-11-26 12:00:01
         1  2026-11-26 12:00:02

  REQUESTS  ROUTE
         1  ? nonsense
         1  GET /items/{id}
         1  POST /login
         1  PUT /items/{id}
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
