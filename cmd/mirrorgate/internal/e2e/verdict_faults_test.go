//go:build verdict

package e2e

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// halves is what the clients here ask: half of it is for one route, half are POSTs to
// another, so that few requests tell enough of both.
func halves(n int64, req *fasthttp.Request) {
	ask(req, []string{"price", "orders"}[n%2], n/2)
}

// judged lets the clients ask until the verdict on v2 is known, and returns it.
func judged(t *testing.T, v2 *version, options, args []string) (exitCode int, text string) {
	t.Helper()
	const most = 400_000 // requests: many times what any verdict takes
	v1, v1b := serveVersion(t, nil), serveVersion(t, nil)
	a, addr := mirrorVersions(t, v1, v1b, v2, options...)
	command := exec.Command(binary, append([]string{"verdict", "v2", "--admin", a.admin, "--wait", "5m"}, args...)...)
	var out bytes.Buffer
	command.Stdout = &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	known := make(chan struct{})
	go func() {
		defer close(known)
		_ = command.Wait()
	}()
	begun := time.Now()
	c := newCrowd(addr)
	c.run(16, func(n int64) bool {
		select {
		case <-known:
			return false
		default:
			return n < most
		}
	}, halves)
	rate := float64(c.sent.Load()) / time.Since(begun).Seconds()
	<-known
	c.unharmed(t)
	sentence, _, _ := strings.Cut(out.String(), "\n")
	t.Logf("after %.1f s at %.0f/s: %s", time.Since(begun).Seconds(), rate, sentence)
	return command.ProcessState.ExitCode(), out.String()
}

// Each fault that is planted in v2 is found, with its exit status and in words that
// name it, and what is no fault is none.
func TestVerdictFindsFaults(t *testing.T) {
	withoutRaceDetector(t)
	f := func(name string, fault func(w *reply, r *http.Request, n int), wantCode int, want string, more ...string) {
		t.Run(name, func(t *testing.T) {
			var options, args []string
			for _, m := range more {
				if strings.HasPrefix(m, "--latency") {
					args = append(args, m)
				} else {
					options = append(options, m)
				}
			}
			code, text := judged(t, serveVersion(t, fault), options, args)
			if code != wantCode || !strings.Contains(text, want) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, wantCode, want, text)
			}
		})
	}
	const alike, differs = 0, 1
	f("wrong field in 1 % of one route", wrongPrice, differs, "of GET /api/price/{id} (body: price)")
	f("missing header", func(w *reply, _ *http.Request, _ int) { w.Header().Del("X-Frame-Options") }, differs, "(header: x-frame-options missing)")
	f("401 on one method", denyOrders, differs, "v2 differs from v1 in 100 % of POST /api/orders/{id} (status: 200 → 401)")
	f("number as text", func(w *reply, r *http.Request, n int) {
		w.replace(`"price": `+strconv.Itoa(n%90)+`.99`, `"price": "`+strconv.Itoa(n%90)+`.99"`)
	}, differs, "(body: price type)")
	f("reordered array", func(w *reply, _ *http.Request, _ int) { w.replace(`["new", "blue"]`, `["blue", "new"]`) }, differs, "(body: tags[])")
	f("slow p99", func(_ *reply, _ *http.Request, n int) {
		if n%20 == 0 {
			time.Sleep(300 * time.Millisecond)
		}
	}, differs, "v2 differs from v1 in its latency", "--latency=p99+50%", "--conns=512")
	f("times out on one route", func(_ *reply, r *http.Request, _ int) {
		if r.Method == http.MethodPost {
			time.Sleep(time.Second)
		}
	}, differs, "of POST /api/orders/{id} (error: timeout)", "--timeout=500ms", "--conns=512")
	f("reordered keys, and a number in other words", func(w *reply, r *http.Request, n int) {
		id, rest, _ := strings.Cut(strings.TrimPrefix(w.body, "{"), ", ")
		w.body = "{" + strings.TrimSuffix(rest, "}") + ", " + id + "}"
		w.replace(".99", ".990")
	}, alike, "v2 is like v1 within 0.1 %")
	f("gzip", func(w *reply, _ *http.Request, _ int) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(w.body))
		z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.body = b.String()
	}, alike, "v2 is like v1 within 0.1 %")
}

// Without a fault nothing is found, however often it is asked: only ids and times
// differ, and those of the reference's second copy do as well.
func TestVerdictWithoutFault(t *testing.T) {
	withoutRaceDetector(t)
	runs := 10
	if text := os.Getenv("E2E_VERDICTS"); text != "" {
		var err error
		if runs, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for range runs {
		code, text := judged(t, serveVersion(t, nil), nil, nil)
		if code != 0 || !strings.Contains(text, "v2 is like v1 within 0.1 %") {
			t.Errorf("exit code %d:\n%s", code, text)
		}
	}
}
