package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// version is an application in one of its versions, with a fault planted or without.
// What it responds depends on the request, but for an id and a time, which are others
// each time.
type version struct {
	fault func(w *reply, r *http.Request, n int) // nil: none; n is the number of the item
	url   string
}

// reply is what a version is about to respond.
type reply struct {
	http.ResponseWriter
	status int
	body   string
}

// replace changes a part of the body.
func (r *reply) replace(old, new string) { r.body = strings.Replace(r.body, old, new, 1) }

func (v *version) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := 0
	fmt.Sscanf(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], "%d", &n)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-Id", fmt.Sprintf("%016x", rand.Uint64()))
	h.Set("X-Frame-Options", "DENY")
	out := &reply{w, http.StatusOK, fmt.Sprintf(`{"id": "%016x", "at": %d, "name": "item %d", "price": %d.99, "tags": ["new", "blue"]}`,
		rand.Uint64(), time.Now().UnixNano(), n, n%90)}
	if v.fault != nil {
		v.fault(out, r, n)
	}
	w.WriteHeader(out.status)
	w.Write([]byte(out.body))
}

// serveVersion serves it until the test ends.
func serveVersion(t *testing.T, fault func(w *reply, r *http.Request, n int)) *version {
	v := &version{fault: fault}
	s := httptest.NewServer(v)
	t.Cleanup(s.Close)
	v.url = s.URL
	return v
}

// wrongPrice is a wrong field in 1 % of one route.
func wrongPrice(w *reply, r *http.Request, n int) {
	if strings.HasPrefix(r.URL.Path, "/api/price/") && n%100 == 7 {
		w.replace(fmt.Sprintf(`"price": %d.99`, n%90), `"price": 0.0`)
	}
}

// denyOrders is a 401 on one method.
func denyOrders(w *reply, r *http.Request, _ int) {
	if r.Method == http.MethodPost {
		w.status = http.StatusUnauthorized
	}
}

// shopping is what clients of all versions ask: each fourth request is a POST, and
// two of the other three are for one route.
func shopping(n int64, req *fasthttp.Request) {
	ask(req, []string{"price", "price", "stock", "orders"}[n%4], n/4*2+n%2)
}

// ask makes the request for an item of a route; to order is to POST.
func ask(req *fasthttp.Request, route string, item int64) {
	if route == "orders" {
		req.Header.SetMethod(http.MethodPost)
		req.Header.SetContentType("application/json")
		req.SetBodyString(`{"password":"hunter2","item":1}`)
	}
	req.Header.Set("Authorization", "Bearer abc")
	req.SetRequestURI(fmt.Sprintf("http://example.com/api/%s/%d", route, item))
}

// startVersions runs mirrorgate for the three; it explains all.
func startVersions(t *testing.T, v1, v1b, v2 *version, options ...string) *agent {
	t.Helper()
	return startAgent(t, append([]string{"--target", "v1=" + v1.url, "--target", "v1b=" + v1b.url, "--target", "v2=" + v2.url + ",against=v1,noise=v1b",
		"--warmup", "1ms", "--compare-cpu", "6400%"}, options...)...)
}

// mirrorVersions runs it behind HAProxy, and returns the address for clients.
func mirrorVersions(t *testing.T, v1, v1b, v2 *version, options ...string) (a *agent, addr string) {
	t.Helper()
	a = startVersions(t, v1, v1b, v2, options...)
	return a, startProxy(t, sizedSPOE, strings.TrimPrefix(v1.url, "http://"), a)
}
