package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Beyond loopback, nothing but health is to be had without the token.
func TestAdminToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("\n the-token \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startAgent(t, "--target", "http://127.0.0.1:1", "--admin", "0.0.0.0:0", "--admin-token-file", file)
	f := func(path, password string, want int) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, "http://"+a.admin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("prometheus", password)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s with the password %q answers %d, want %d", path, password, resp.StatusCode, want)
		}
	}
	f("/metrics", "", http.StatusUnauthorized)
	f("/metrics", "a-token", http.StatusUnauthorized)
	f("/metrics", "the-token", http.StatusOK)
	f("/debug/pprof/", "", http.StatusUnauthorized)
	f("/healthz", "", http.StatusOK)
	f("/readyz", "", http.StatusOK)
}
