package admin

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// The page runs by itself: nothing of it comes from elsewhere, nor may it.
func TestPage(t *testing.T) {
	w := httptest.NewRecorder()
	servePage(w, httptest.NewRequest("GET", "/", nil))
	body := w.Body.String()
	for _, url := range regexp.MustCompile(`(https?:)?//[\w.]+`).FindAllString(body, -1) {
		if strings.HasPrefix(url, "http") && url != "http://www.w3.org" { // the name of SVG
			t.Errorf("the page knows the address %s", url)
		}
	}
	if len(body) > 48<<10 {
		t.Errorf("the page has %d bytes", len(body))
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
}
