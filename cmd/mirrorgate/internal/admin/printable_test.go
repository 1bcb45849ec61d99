package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestPrintable(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := Printable(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("/a b?c=d%20é€漢", "/a b?c=d%20é€漢")
	f("\x1b[2J\a\n\t\x7f", "\ufffd[2J\ufffd\ufffd\ufffd\ufffd")
	f("\u009b2J\u0085", "\ufffd2J\ufffd")
	f("\u202eevil\u2066", "\ufffdevil\ufffd")
	f("\x9b\xff", "\ufffd\ufffd")
}

// A client of production chooses the path, and may choose a part of the id: neither
// does something to the terminal of whoever looks.
func TestDifferencesPrintNoControls(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	defer target.Close()
	s := newServer(t, "a="+target.URL)
	s.fanout.Submit([]codec.Request{{
		Method: []byte("GET"), Target: []byte("/a\u009b2J\u202eb"), Headers: codec.Headers{Raw: codec.AppendHeadersEnd(nil)}, BodySize: -1,
		Production: codec.ProductionResponse{Status: 200, ID: []byte("id\x1b[2J\x7f")},
	}})
	body := ""
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(body, `"result":"status"`); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("there is no difference: %s", body)
		}
		body = get(t, s, "/api/differences")
	}
	if !strings.Contains(body, "\"path\":\"/a\ufffd2J\ufffdb\",\"id\":\"id\ufffd[2J\ufffd\"") || strings.ContainsFunc(strings.TrimSpace(body), unicode.IsControl) {
		t.Errorf("it shows %q", body)
	}
}
