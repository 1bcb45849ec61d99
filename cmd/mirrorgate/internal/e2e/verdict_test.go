package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// post asks the admin server to do something.
func (a *agent) post(path string) (status int, response string) {
	a.t.Helper()
	return a.read(http.Post("http://"+a.admin+path, "application/json", strings.NewReader(`{"name":"shop","phase":"Progressing"}`)))
}

// A v2 that denies everything is known within a few requests, by its exit status, its
// words, and the API.
func TestVerdictDiffers(t *testing.T) {
	deny := func(w *reply, _ *http.Request, _ int) { w.status, w.body = 401, `{"error":"who are you?"}` }
	a, addr := mirrorVersions(t, serveVersion(t, nil), serveVersion(t, nil), serveVersion(t, deny))
	ask := func(wantCode int, wantText string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, append([]string{"verdict", "v2", "--admin", a.admin}, args...)...)
		if code != wantCode || stderr != "" || !strings.Contains(stdout, wantText) {
			t.Errorf("verdict %s: exit code %d, %s%s, want %d and %s", args, code, stdout, stderr, wantCode, wantText)
		}
	}
	status := func(got int, response string, want int, has string) {
		t.Helper()
		if got != want || !strings.Contains(response, has) {
			t.Errorf("status %d and %s, want %d and %s", got, response, want, has)
		}
	}
	ask(3, "not yet: 0 pairs of v2 and v1")
	code, response := a.post("/api/verdict?target=v2")
	status(code, response, http.StatusTooEarly, `"verdict":"not_yet"`)

	newCrowd(addr).run(8, upTo(200), shopping)
	a.sums(200)
	ask(1, "v2 differs from v1 in 100 % of GET /api/price/{id} (status: 200 → 401)")
	ask(1, `"verdict": "differs"`, "--json")
	ask(1, "See both responses: mirrorgate differences v2 --admin "+a.admin+" --route 'GET /api/price/{id}' --field 'status: 200 → 401'")
	code, response = a.get("/api/verdict?target=v2&tolerance=0.1%25&latency=p99%2B10%25")
	status(code, response, http.StatusOK, `"verdict":"differs"`)
	code, response = a.post("/api/verdict?target=v2")
	status(code, response, http.StatusConflict, `"verdict":"differs"`)

	ask(3, "not yet: 0 pairs", "--fresh")
	newCrowd(addr).run(8, upTo(200), shopping)
	ask(1, "v2 differs", "--wait", "1m")
	code, response = a.post("/api/verdict/fresh?target=v2")
	status(code, response, http.StatusOK, `{"target":"v2"}`)
	ask(3, "not yet: 0 pairs")
	if a.value("mirrorgate_compare_total") < 400 {
		t.Errorf("the metrics do not go on: %v", a.value("mirrorgate_compare_total"))
	}
}

// Enough pairs without a fault are alike.
func TestVerdictAlike(t *testing.T) {
	a, addr := mirrorVersions(t, serveVersion(t, nil), serveVersion(t, nil), serveVersion(t, nil))
	newCrowd(addr).run(16, upTo(1500), func(n int64, req *fasthttp.Request) { shopping(n*4, req) })
	a.sums(1500)
	code, stdout, stderr := mirrorgate(t, nil, "verdict", "v2", "--admin", a.admin, "--tolerance", "1%", "--wait", "30s")
	if code != 0 || !strings.Contains(stdout, "v2 is like v1 within 1 %: ") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	status, response := a.post("/api/verdict?target=v2&tolerance=1%25")
	var v verdict.Verdict
	if err := json.Unmarshal([]byte(response), &v); err != nil || status != http.StatusOK || v.Verdict != verdict.Alike {
		t.Errorf("status %d and %s", status, response)
	}
}

// Whatever keeps a verdict from being asked for is 2, with one line that says what,
// never 1.
func TestVerdictRefused(t *testing.T) {
	a := startAgent(t, "--target", "v1=http://127.0.0.1:1", "--target", "v2=http://127.0.0.1:1,against=v1")
	f := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, append([]string{"verdict"}, args...)...)
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "mirrorgate: ") || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("verdict %q: exit code %d, %s%s, want %s", args, code, stdout, stderr, want)
		}
	}
	f(`there is no target "v9"`, "v9", "--admin", a.admin)
	f("target v1 is compared with no other target; give it against=NAME", "v1", "--admin", a.admin)
	f("cannot reach mirrorgate at 127.0.0.1:1: connection refused", "v2", "--admin", "127.0.0.1:1")
	f(`--admin: "nonsense" should be HOST:PORT`, "v2", "--admin", "nonsense")
	f("--admin is empty", "v2", "--admin", "")
	f("--admin has "+a.admin+" twice", "v2", "--admin", a.admin+","+a.admin)
	f(`--tolerance "2": want a share above 0, as 0.1% or 0.001`, "v2", "--admin", a.admin, "--tolerance", "2")
	f(`--latency "fast": want a quantile`, "v2", "--admin", a.admin, "--latency", "fast")
	f("expected \"<target>\"")

	status := func(got int, response string, want int) {
		t.Helper()
		if got != want || !strings.HasPrefix(response, `{"error":"`) {
			t.Errorf("status %d and %s, want %d", got, response, want)
		}
	}
	code, response := a.get("/api/verdict?target=v9")
	status(code, response, http.StatusNotFound)
	code, response = a.get("/api/compare?target=v1")
	status(code, response, http.StatusNotFound)
	code, response = a.post("/api/verdict/fresh?target=v1")
	status(code, response, http.StatusNotFound)
	code, response = a.post("/api/verdict?target=v2&tolerance=x")
	status(code, response, http.StatusBadRequest)
	code, response = a.get("/api/differences?target=v9")
	status(code, response, http.StatusNotFound)
}

// Examples show both responses whole, and no secret; the commands and archives that
// are made of them can be used.
func TestDifferences(t *testing.T) {
	v2 := serveVersion(t, func(w *reply, r *http.Request, n int) {
		wrongPrice(w, r, n)
		denyOrders(w, r, n)
	})
	a, addr := mirrorVersions(t, serveVersion(t, nil), serveVersion(t, nil), v2)
	newCrowd(addr).run(8, upTo(1000), shopping)
	a.sums(1000)
	f := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := mirrorgate(t, nil, append([]string{"differences", "v2", "--admin", a.admin}, args...)...)
		if code != 0 {
			t.Errorf("differences %q: exit code %d, %s", args, code, stderr)
		}
		if strings.Contains(stdout, "Bearer abc") || strings.Contains(stdout, "hunter2") {
			t.Errorf("differences %q shows a secret: %s", args, stdout)
		}
		return stdout
	}
	has := func(text string, want ...string) {
		t.Helper()
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
	}
	has(f("--field", "price"), "GET /api/price/", "GET /api/price/{id} differs in body: price\n", "  v1 ", "! ", `"price": 0.0`, "Bearer masked:", "curl -sS -i -g --path-as-is '"+v2.url+"/api/price/")
	has(f("--route", "POST /api/orders/{id}", "--json"), `"password\":\"masked:`, `"examples": [`, `"against": "v1"`)
	has(f("--route", "GET /nowhere"), "No example is kept")

	command := strings.SplitN(f("--field", "body: price", "--curl"), "\n", 2)[0]
	out, err := exec.Command("bash", "-c", command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	has(string(out), "HTTP/1.1 200 OK", `"price": 0.0`)

	file := filepath.Join(t.TempDir(), "v2.har")
	f("--field", "price", "--har", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var archive struct {
		Log struct {
			Version string
			Entries []struct {
				Comment  string
				Response struct{ Content struct{ Text string } }
			}
		}
	}
	if err := json.Unmarshal(text, &archive); err != nil || archive.Log.Version != "1.2" || len(archive.Log.Entries) < 2 {
		t.Fatalf("%v: %d entries", err, len(archive.Log.Entries))
	}
	for i, e := range archive.Log.Entries {
		if wrong := strings.Contains(e.Response.Content.Text, `"price":0.0`); wrong != strings.HasPrefix(e.Comment, "v2") || wrong != (i%2 == 1) {
			t.Errorf("entry %d, %s, is %s", i, e.Comment, e.Response.Content.Text)
		}
	}
}

// What is said to be off or no secret is.
func TestExamplesOptions(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(want, not string, options ...string) {
		t.Helper()
		a, addr := mirrorVersions(t, serveVersion(t, nil), serveVersion(t, nil), serveVersion(t, denyOrders), append(options, "--admin-token-file", token)...)
		newCrowd(addr).run(4, upTo(100), shopping)
		asked := []string{"v2", "--json", "--admin", a.admin, "--admin-token-file", token}
		eventually(t, "all is compared", func() bool {
			_, stdout, _ := mirrorgate(t, nil, append([]string{"verdict"}, asked...)...)
			return strings.Contains(stdout, `"pairs": 100,`)
		})
		code, stdout, stderr := mirrorgate(t, nil, append([]string{"differences"}, asked...)...)
		if code != 0 || !strings.Contains(stdout, want) || strings.Contains(stdout, not) {
			t.Errorf("%q: exit code %d, it shows %s%s, want %s and not %s", options, code, stdout, stderr, want, not)
		}
	}
	f(`"examples": []`, "route", "--examples", "off")
	f("hunter2", `\"item\":1`, "--unmask", "password", "--mask", "item")
}

// Without a second copy, what differs always keeps the verdict from being known until
// it is ignored: by the options that the verdict prints, to be copied.
func TestVerdictWithoutNoise(t *testing.T) {
	v1, v2 := serveVersion(t, nil), serveVersion(t, nil)
	ask := func(requests int64, options ...string) (code int, stdout string) {
		t.Helper()
		a := startAgent(t, append([]string{"--target", "v1=" + v1.url, "--target", "v2=" + v2.url + ",against=v1", "--compare-cpu", "6400%"}, options...)...)
		addr := startProxy(t, sizedSPOE, strings.TrimPrefix(v1.url, "http://"), a)
		newCrowd(addr).run(8, upTo(requests), func(n int64, req *fasthttp.Request) { shopping(n*4, req) })
		a.sums(requests)
		code, stdout, _ = mirrorgate(t, nil, "verdict", "v2", "--admin", a.admin, "--tolerance", "1%")
		return code, stdout
	}
	code, stdout := ask(100)
	var options []string
	for _, line := range regexp.MustCompile(`(?m)^    (--ignore) '(.*)'$`).FindAllStringSubmatch(stdout, -1) {
		options = append(options, line[1:]...)
	}
	if want := "--ignore json:at --ignore json:id"; code != 3 || strings.Join(options, " ") != want {
		t.Fatalf("exit code %d, want 3 and %s:\n%s", code, want, stdout)
	}
	if code, stdout := ask(1500, options...); code != 0 || !strings.Contains(stdout, "v2 is like v1 within 1 %") {
		t.Errorf("exit code %d, want 0:\n%s", code, stdout)
	}
}
