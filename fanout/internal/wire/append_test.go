package wire

import "testing"

func TestIsIdempotent(t *testing.T) {
	f := func(method string, want bool) {
		t.Helper()
		if got := isIdempotent([]byte(method)); got != want {
			t.Errorf("%s: %v", method, got)
		}
	}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"} {
		f(method, true)
	}
	for _, method := range []string{"POST", "PATCH", "get", "PURGE", "PROPFIND", "LOCK", ""} {
		f(method, false)
	}
}
