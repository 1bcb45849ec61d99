package record

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func newTestMask(t *testing.T, names ...string) *Mask {
	t.Helper()
	m, err := NewMask([32]byte{1}, names)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMask(t *testing.T) {
	m := newTestMask(t, "Session", "authorization", "x-key", "card", "user", "count")
	// In want a ~ stands for a hexadecimal digit of a hash, a # for a digit from 1 to 9.
	f := func(text, want string) {
		t.Helper()
		wire := []byte(strings.ReplaceAll(text, "\n", "\r\n"))
		whole := bytes.Clone(wire)
		m.Apply(wire)
		pattern := regexp.QuoteMeta(strings.ReplaceAll(want, "\n", "\r\n"))
		pattern = strings.NewReplacer("~", "[0-9a-f]", "#", "[1-9]").Replace(pattern)
		if !regexp.MustCompile("^" + pattern + "$").Match(wire) {
			t.Errorf("masked %q, want %q", wire, want)
		}
		if len(wire) != len(whole) {
			t.Errorf("the length changed")
		}
	}
	f("GET /a?q=1&card=4711&%63ard=12&x HTTP/1.1\nhost: h\n\n", "GET /a?q=1&card=~~~~&%63ard=~~&x HTTP/1.1\nhost: h\n\n")
	f("GET / HTTP/1.1\nCookie: a=1; session=abcdef;user=\nX-KEY: 12345\n\n", "GET / HTTP/1.1\nCookie: a=1; session=~~~~~~;user=\nX-KEY: ~~~~~\n\n")
	f("GET / HTTP/1.1\nauthorization: Bearer abc\nreferer: http://h/?card=1&a=2\n\n", "GET / HTTP/1.1\nauthorization: Bearer ~~~\nreferer: http://h/?card=~&a=2\n\n")
	f("GET / HTTP/1.1\nauthorization: abc\n\n", "GET / HTTP/1.1\nauthorization: ~~~\n\n")
	f("POST / HTTP/1.1\ncontent-type: application/x-www-form-urlencoded\n\ncard=12&a=card", "POST / HTTP/1.1\ncontent-type: application/x-www-form-urlencoded\n\ncard=~~&a=card")
	f("POST / HTTP/1.1\n\n{ \"a\": \"card\", \"Card\" : \"1\\u00e92\", \"count\":-10.5e7,\"b\":[{\"user\":{\"x\":[\"yz\",1,true,null],\"y\":\"z\"},\"q\":\"r\"}, \"card\"]}\n",
		"POST / HTTP/1.1\n\n{ \"a\": \"card\", \"Card\" : \"~~~~~~~~\", \"count\":-#0.#e7,\"b\":[{\"user\":{\"x\":[\"~~\",#,true,null],\"y\":\"~\"},\"q\":\"r\"}, \"card\"]}\n")
	f("POST / HTTP/1.1\n\n[{\"card\":\"a\"},{\"b\":\"c\"}]", "POST / HTTP/1.1\n\n[{\"card\":\"~\"},{\"b\":\"c\"}]")
	f("POST / HTTP/1.1\n\n{\"card\":\"a\"", "POST / HTTP/1.1\n\n{\"card\":\"a\"")
	f("nonsense?card=1", "nonsense?card=1")

	all := newTestMask(t, "cookie")
	wire := []byte("GET / HTTP/1.1\r\ncookie: a=1; b=22\r\n\r\n")
	all.Apply(wire)
	if !regexp.MustCompile(`cookie: a=[0-9a-f]; b=[0-9a-f]{2}\r`).Match(wire) {
		t.Errorf("masked %q", wire)
	}
	if _, err := NewMask([32]byte{}, []string{"Host"}); err == nil {
		t.Error("host may be masked")
	}
}

// Equal values stay equal, others different, and only whoever has the key could tell
// what they were.
func TestMaskIsKeyed(t *testing.T) {
	mask := func(key byte, session string) string {
		m, err := NewMask([32]byte{key}, []string{"s"})
		if err != nil {
			t.Fatal(err)
		}
		wire := []byte("GET /?s=" + session + " HTTP/1.1\r\n\r\n")
		m.Apply(wire)
		return string(wire)
	}
	long := strings.Repeat("0123456789abcdef", 10)
	once, again := mask(1, long), mask(1, long)
	if once != again || mask(1, long) == mask(2, long) || mask(1, long) == mask(1, long[1:]+"x") {
		t.Error("the hash does not depend on the value and the key alone")
	}
	if strings.Contains(mask(1, long), long[100:]) {
		t.Error("the end of a long value is not masked")
	}
	m := newTestMask(t, "s")
	if key := m.Key(nil, []byte("0123456789abcdef")); len(key) != 16 || string(key) == "0123456789abcdef" {
		t.Errorf("key %q", key)
	}
}

// Whatever is masked keeps its length, and JSON stays JSON.
func FuzzMask(f *testing.F) {
	f.Add([]byte(`{"card":"1","b":[1.5e3,{"card":{"a":"\"b"}}]}`))
	f.Add([]byte("card=1&a=%6"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := NewMask([32]byte{}, []string{"card"})
		if err != nil {
			t.Fatal(err)
		}
		for _, mediaType := range []string{"application/json", "application/x-www-form-urlencoded"} {
			wire := append([]byte("POST /?card="+mediaType+" HTTP/1.1\r\ncontent-type: "+mediaType+"\r\n\r\n"), body...)
			head := len(wire) - len(body)
			m.Apply(wire)
			if json.Valid(body) && !json.Valid(wire[head:]) {
				t.Fatalf("%q became %q", body, wire[head:])
			}
		}
	})
}
