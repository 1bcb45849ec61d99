package example

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout/compare"
)

func mustMask(t testing.TB, added, removed []string) *Mask {
	t.Helper()
	m, err := NewMask([32]byte{1}, added, removed)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"

// hash makes hashes short to be told.
func hash(b []byte) string {
	return regexp.MustCompile(`masked:[0-9a-f]{16}`).ReplaceAllString(string(b), "***")
}

func TestMaskHeader(t *testing.T) {
	m := mustMask(t, []string{"X-Tenant"}, []string{"X-Api-Key", "api_key"})
	f := func(in, want string) {
		t.Helper()
		if got := hash(m.AppendHeader(nil, []byte(in+"\r\n"))); got != want+"\r\n" {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
	}
	f("Accept: a", "Accept: a")
	f("Authorization: Bearer abc", "Authorization: Bearer ***")
	f("authorization:abc", "authorization: ***")
	f("Cookie: a=1; b=2; c", "Cookie: a=***; b=***;***")
	f("Set-Cookie: a=1; Path=/; HttpOnly", "Set-Cookie: a=***; Path=/; HttpOnly")
	f("X-Api-Key: 1", "X-Api-Key: 1")
	f("X-Tenant: 1", "X-Tenant: ***")
	f("X-Auth-Token: 1", "X-Auth-Token: ***")
	f("X-Other: a "+jwt+".", "X-Other: a ***.")
	f("Location: /a?token=1&b=2", "Location: /a?token=***&b=2")
	f("Authorization: Basic\r\n abc", "Authorization: ***\r\n ***")
}

func TestMaskTargetAndBody(t *testing.T) {
	m := mustMask(t, nil, nil)
	target := func(in, want string) {
		t.Helper()
		if got := hash(m.AppendTarget(nil, []byte(in))); got != want {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
	}
	target("/a", "/a")
	target("/a?Access_Token=1&x=2&api-key=3", "/a?Access_Token=***&x=2&api-key=***")
	target("/a?%74oken=1", "/a?%74oken=***")
	target("/a/"+jwt+"/b?x="+jwt, "/a/***/b?x=***")
	target("/eyJ/a", "/eyJ/a")

	body := func(mediaType, in string, line int, want string) {
		t.Helper()
		if got := hash(m.AppendBody(nil, []byte(mediaType), []byte(in), line)); got != want {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
	}
	body("application/json", `{ "a": [1, "x", null, true, {"creditCard": {"number": 42, "on": false}}], "password": "p" }`, 0,
		`{"a":[1,"x",null,true,{"creditCard":{"number":"***","on":false}}],"password":"***"}`)
	body("application/json", `{"a":"`+jwt+`","b":"<é>"}`, 0, `{"a":"***","b":"<é>"}`)
	body("application/x-www-form-urlencoded; charset=utf-8", "user=a&password=b", 0, "user=a&password=***")
	body("text/plain", "password is x\nline two "+jwt, 2, "line two ***")
	body("text/plain", "password is x", 0, "(13 bytes)")
	body("image/png", "\xff\xfe", 1, "(2 bytes)")
	body("", "", 1, "")
}

func TestEqualStaysEqual(t *testing.T) {
	m, other := mustMask(t, nil, nil), &Mask{key: [32]byte{2}}
	a, b, c := m.appendHash(nil, []byte("a")), m.appendHash(nil, []byte("a")), m.appendHash(nil, []byte("b"))
	if !bytes.Equal(a, b) || bytes.Equal(a, c) || bytes.Equal(a, other.appendHash(nil, []byte("a"))) {
		t.Errorf("a is %s and %s, b is %s", a, b, c)
	}
}

func TestMaskNames(t *testing.T) {
	if _, err := NewMask([32]byte{}, []string{"-"}, nil); err == nil {
		t.Error("a name of nothing is masked")
	}
	if _, err := NewMask([32]byte{}, nil, []string{"nothing"}); err == nil {
		t.Error("what is not masked can be unmasked")
	}
}

func example(route string, size int, paths ...string) *Example {
	e := &Example{Route: route, Body: strings.Repeat("x", size)}
	for _, p := range paths {
		e.Fields = append(e.Fields, compare.Field{Layer: compare.Body, Path: p})
	}
	return e
}

func TestStore(t *testing.T) {
	s := NewStore()
	for i := range 30 {
		e := example("GET /a", 0, "price")
		e.Target = fmt.Sprint(i)
		if i == 15 {
			e.Fields = append(e.Fields, compare.Field{Layer: compare.Body, Path: "id"})
		}
		s.Add(e)
	}
	f := func(route, field, want string) {
		t.Helper()
		var got []string
		for _, e := range s.Examples(route, field) {
			got = append(got, e.Target)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("examples of %s %s are %s, want %s", route, field, got, want)
		}
	}
	lacks := func(route, path string, want bool) {
		t.Helper()
		if got := s.Lacks(route, []compare.Field{{Layer: compare.Body, Path: path}}); got != want {
			t.Errorf("lacks %s of %s: %v", path, route, got)
		}
	}
	lacks("GET /a", "price", false)
	lacks("GET /a", "id", true)
	lacks("GET /b", "price", true)
	f("GET /a", "body: id", "15")
	f("GET /a", "", "0 1 2 15 20 21 22 23 24 25 26 27 28 29")
	f("", "body: none", "")
	f("GET /b", "", "")
	if s.Add(example("GET /a", MaxExample, "price")) || s.Add(example("GET /a", 1)) {
		t.Error("what is too large, or differs in nothing, was kept")
	}
	s.Reset()
	f("", "", "")
	if s.Bytes() != 0 {
		t.Errorf("%d bytes are left", s.Bytes())
	}
}

func TestStoreIsBounded(t *testing.T) {
	s := NewStore()
	first := example("GET /first", 100, "a", "b")
	s.Add(first)
	for i := range 400 {
		s.Add(example("GET /a", 300_000, fmt.Sprint(i%7), fmt.Sprint(i%3)))
		if s.Bytes() > MaxBytes {
			t.Fatalf("%d bytes after %d examples", s.Bytes(), i)
		}
	}
	sum := 0
	for _, e := range s.Examples("", "") {
		sum += e.size()
	}
	if sum != s.Bytes() || sum < MaxBytes/2 {
		t.Errorf("%d bytes are held, %d counted", sum, s.Bytes())
	}
	for i := range 400 { // when all are first ones, the oldest go
		s.Add(example(fmt.Sprint(i), 300_000, "a"))
	}
	if s.Bytes() > MaxBytes || len(s.Examples("GET /first", "")) != 0 {
		t.Errorf("%d bytes, %d of the first", s.Bytes(), len(s.Examples("GET /first", "")))
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte(`{"token":"hunter2","a":[{"card":["hunter2",1]}]}`))
	f.Add([]byte("Cookie: a=hunter2\r\n Authorization: hunter2"))
	f.Add([]byte("?token=hunter2&%74oken=eyJa.eyJ.a"))
	m := mustMask(f, nil, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		m.AppendHeader(nil, b)
		m.AppendTarget(nil, b)
		masked, ok := m.appendJSON(nil, b)
		if ok && !json.Valid(masked) {
			t.Fatalf("%q is masked as %q, which is no JSON", b, masked)
		}
		if ok != json.Valid(b) {
			t.Fatalf("%q is JSON: %v", b, ok)
		}
		secret, _ := json.Marshal(string(b))
		masked, ok = m.appendJSON(nil, []byte(`{"token":{"a":[`+string(secret)+`]}}`))
		if !ok || len(masked) != len(`{"token":{"a":["masked:0123456789abcdef"]}}`) {
			t.Fatalf("a secret is masked as %q", masked)
		}
	})
}

func BenchmarkMaskJSON(b *testing.B) {
	m := mustMask(b, nil, nil)
	body := []byte(`{"items":[` + strings.Repeat(`{"name":"lamp","price":1,"token":"x"},`, 50) + `1]}`)
	var dst []byte
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = m.appendJSON(dst[:0], body)
	}
}
