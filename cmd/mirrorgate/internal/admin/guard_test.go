package admin

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	passed := false
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true })
	f := func(token, path string, change func(*http.Request), want int) {
		t.Helper()
		passed = false
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = "127.0.0.1:12346"
		if change != nil {
			change(r)
		}
		w := httptest.NewRecorder()
		guard(token, next).ServeHTTP(w, r)
		if w.Code != want || passed != (want == http.StatusOK) {
			t.Errorf("%s %v answers %d (let through: %v), want %d", path, r.Header, w.Code, passed, want)
		}
		if asks := w.Header().Get("WWW-Authenticate") != ""; asks != (want == http.StatusUnauthorized) {
			t.Errorf("%s: WWW-Authenticate is %q", path, w.Header().Get("WWW-Authenticate"))
		}
		without := token != "" && r.Header.Get("Authorization") == ""
		if closes := w.Header().Get("Connection") == "close"; without && !closes || closes && passed && !without {
			t.Errorf("%s %v: the connection ends after it: %v", path, r.Header, closes)
		}
		if strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%s gives the token away: %s", path, w.Body)
		}
	}
	auth := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	host := func(value string) func(*http.Request) { return func(r *http.Request) { r.Host = value } }
	const ok, unauthorized, misdirected = http.StatusOK, http.StatusUnauthorized, http.StatusMisdirectedRequest

	for _, path := range []string{"/", "/metrics", "/debug/pprof/heap", "/api/targets", "/healthz/", "//readyz", "/nothing"} {
		f("s3cret", path, nil, unauthorized)
		f("s3cret", path, auth("Bearer s3cret"), ok)
	}
	f("s3cret", "/healthz", nil, ok)
	f("s3cret", "/readyz", nil, ok)
	f("s3cret", "/metrics", auth("bearer  s3cret "), ok)
	f("s3cret", "/metrics", auth("Bearer s3cre"), unauthorized)
	f("s3cret", "/metrics", auth("Bearer s3cret2"), unauthorized)
	f("s3cret", "/metrics", auth("Bearer"), unauthorized)
	f("s3cret", "/metrics", auth("s3cret"), unauthorized)
	f("s3cret", "/metrics", auth("Digest s3cret"), unauthorized)
	f("s3cret", "/metrics", auth("Basic s3cret"), unauthorized)
	f("s3cret", "/metrics", basic("", "s3cret"), ok)
	f("s3cret", "/metrics", basic("anybody", "s3cret"), ok)
	f("s3cret", "/metrics", basic("s3cret", ""), unauthorized)
	f("s3cret", "/metrics", basic("s3cret", "S3CRET"), unauthorized)
	f("s3cret", "/metrics", func(r *http.Request) { host("mirror.example")(r); auth("Bearer s3cret")(r) }, ok)

	f("", "/metrics", nil, ok)
	f("", "/metrics", auth("Bearer anything"), ok)
	for _, name := range []string{"localhost:12346", "LOCALHOST", "127.0.0.1", "[::1]:12346", "[::1]", ""} {
		f("", "/metrics", host(name), ok)
	}
	for _, name := range []string{"evil.example:12346", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"} {
		f("", "/metrics", host(name), misdirected)
		f("", "/readyz", host(name), ok)
	}
}

// A page of another origin may not even ask for profiles.
func TestSameSite(t *testing.T) {
	s := newServer(t, "a=http://127.0.0.1:1")
	f := func(path, field, value string, want int) {
		t.Helper()
		if status, answer := ask(s, http.MethodGet, path, "", field, value); status != want {
			t.Errorf("%s with %s: %s answers %d and %.80q, want %d", path, field, value, status, answer, want)
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1", "/debug/pprof/symbol"} {
		f(path, "Sec-Fetch-Site", "cross-site", http.StatusForbidden)
		f(path, "Sec-Fetch-Site", "same-site", http.StatusForbidden)
		f(path, "Origin", "http://evil.example", http.StatusForbidden)
	}
	for _, site := range []string{"", "none", "same-origin"} {
		f("/debug/pprof/heap", "Sec-Fetch-Site", site, http.StatusOK)
	}
	f("/debug/pprof/heap", "Origin", "http://127.0.0.1:12346", http.StatusOK)
	f("/metrics", "Sec-Fetch-Site", "cross-site", http.StatusOK)
	f("/debug/pprof/cmdline", "Sec-Fetch-Site", "none", http.StatusNotFound)
}

func TestGuardBoundsBodies(t *testing.T) {
	f := func(size int, tooLarge bool) {
		t.Helper()
		var err error
		next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, err = io.Copy(io.Discard, r.Body) })
		r := httptest.NewRequest(http.MethodPatch, "http://127.0.0.1/", strings.NewReader(strings.Repeat("x", size)))
		guard("", next).ServeHTTP(httptest.NewRecorder(), r)
		if errors.As(err, new(*http.MaxBytesError)) != tooLarge {
			t.Errorf("reading %d bytes ends with %v", size, err)
		}
	}
	f(maxBody, false)
	f(maxBody+1, true)
}
