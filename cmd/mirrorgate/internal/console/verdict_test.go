package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/fanout/compare"
	"github.com/mirrorgate/mirrorgate/fanout/compare/tally"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

var price = compare.Field{Layer: compare.Body, Path: "price", Kind: compare.Type}

// counted returns the sums of n triples of a route, some of which differ.
func counted(path string, n, differ int) *tally.Summary {
	t := tally.New(tally.Options{Target: "v2", Against: "v1", Noise: "v1b"})
	fast, slow := &compare.Response{Status: 200, Duration: time.Millisecond}, &compare.Response{Status: 200, Duration: 2 * time.Millisecond}
	for i := range n {
		d := &compare.Diff{Explained: true}
		if i < differ {
			d.Result, d.Fields = compare.Body, []compare.Field{price}
		}
		t.Add(&tally.Pair{Method: []byte("GET"), Target: []byte(path), Reference: fast, Response: slow, Copy: fast, Diff: d, Noise: &compare.Diff{Explained: true}})
	}
	s := t.Summary()
	s.Seconds = 60
	return s
}

func TestWriteVerdict(t *testing.T) {
	f := func(s *tally.Summary, want string) {
		t.Helper()
		var b strings.Builder
		v := verdict.Judge(s, verdict.Rule{Tolerance: .001})
		if err := errors.Join(WriteVerdict(&b, v), WriteNext(&b, v, " --admin a:1")); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &b, want)
		}
	}
	f(counted("/api/price", 10_000, 100), `v2 differs from v1 in 1 % of GET /api/price (body: price type), 100 of 10,000 pairs; everything else alike within 0.1 %

ROUTE                 PAIRS  DIFFERS  NOISE              P50              P99  VERDICT
GET /api/price          10k       1%     0%  1.01ms → 2.02ms  1.01ms → 2.02ms  differs
  body: price (type)              1%     0%                                    differs

See both responses: mirrorgate differences v2 --admin a:1 --route 'GET /api/price' --field 'body: price (type)'
`)
	id := compare.Field{Layer: compare.Body, Path: "id"}
	sums := tally.New(tally.Options{Target: "v2", Against: "v1", Noise: "v1b"})
	response := &compare.Response{Status: 200, Duration: time.Millisecond}
	always := &compare.Diff{Explained: true, Result: compare.Body, Fields: []compare.Field{id}}
	sums.Add(&tally.Pair{Method: []byte("GET"), Target: []byte("/"), Reference: response, Response: response, Copy: response, Diff: always, Noise: always})
	f(sums.Summary(), `not yet: 1 pairs of v2 and v1; 10,599 more pairs would tell

ROUTE       PAIRS  DIFFERS  NOISE              P50              P99  VERDICT
other           1       0%     0%  1.01ms → 1.01ms  1.01ms → 1.01ms  not yet
  body: id            100%   100%                                      noise

Wait for it: mirrorgate verdict v2 --admin a:1 --wait 30m
`)
	f(counted("/api/price", 20_000, 0), `v2 is like v1 within 0.1 %: 20,000 pairs

ROUTE           PAIRS  DIFFERS  NOISE              P50              P99  VERDICT
GET /api/price    20k       0%     0%  1.01ms → 2.02ms  1.01ms → 2.02ms    alike
`)
	f(counted("/api/price", 0, 0), `not yet: 0 pairs of v2 and v1; 10,600 more pairs would tell

Wait for it: mirrorgate verdict v2 --admin a:1 --wait 30m
`)
}

// Whatever the responses have, nothing that is printed does something to the
// terminal.
func TestVerdictPrintsNoControls(t *testing.T) {
	const evil = "\x1b]0;evil\a\u009b2J\r\n\u202e"
	v := &verdict.Verdict{Target: evil, Verdict: verdict.NotYet, Sentence: evil, Ignore: []string{evil},
		Routes: []verdict.Route{{Route: evil, Verdict: evil, Fields: []verdict.Field{{Field: evil}}}}}
	var b strings.Builder
	if err := errors.Join(WriteVerdict(&b, v), WriteNext(&b, v, ""), WriteJSON(&b, v)); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(strings.ReplaceAll(b.String(), "\n", ""), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("it prints %q", &b)
	}
	var again verdict.Verdict
	if _, text, _ := strings.Cut(b.String(), "\n{"); json.Unmarshal([]byte("{"+text), &again) != nil || again.Sentence != evil {
		t.Errorf("the JSON has not the sentence: %s", text)
	}
}

// host is a mirrorgate of which only the sums are asked.
func host(t *testing.T, respond func(w http.ResponseWriter, r *http.Request)) *admin.Client {
	s := httptest.NewServer(http.HandlerFunc(respond))
	t.Cleanup(s.Close)
	return admin.NewClient(strings.TrimPrefix(s.URL, "http://"), "")
}

func sums(t *testing.T, s *tally.Summary) *admin.Client {
	return host(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/api/compare?target=v2" {
			t.Errorf("asked for %s", r.URL)
		}
		_ = json.NewEncoder(w).Encode(s)
	})
}

func TestJudge(t *testing.T) {
	unknown := host(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		w.Write([]byte(`{"error":"there is no target v2"}`))
	})
	down := admin.NewClient("127.0.0.1:1", "")
	half := sums(t, counted("/", 10_000, 0))
	f := func(want, has string, hosts ...*admin.Client) {
		t.Helper()
		v, err := Judge(t.Context(), hosts, Question{Target: "v2", Rule: verdict.Rule{Tolerance: .001}}, func(*verdict.Verdict) {})
		got, text := "error", ""
		if err != nil {
			text = err.Error()
		} else {
			got, text = v.Verdict, v.Sentence
		}
		if got != want || !strings.Contains(text, has) {
			t.Errorf("%s: %s, want %s and %s", got, text, want, has)
		}
	}
	f(verdict.NotYet, "10,000 pairs", half)
	f(verdict.Alike, "20,000 pairs", half, sums(t, counted("/", 10_000, 0)))
	f(verdict.NotYet, "no response from 127.0.0.1:1", sums(t, counted("/", 20_000, 0)), down)
	f(verdict.Differs, "v2 differs", sums(t, counted("/", 20_000, 5_000)), down)
	f("error", "cannot reach mirrorgate at 127.0.0.1:1", down)
	f("error", "there is no target v2", half, unknown)
	other := counted("/", 10, 0)
	other.Against = "production"
	f("error", "the hosts are configured differently", half, sums(t, other))
}

// Who waits gets the verdict as soon as it is known, or what is known when the time
// is over.
func TestJudgeWaits(t *testing.T) {
	f := func(wait time.Duration, want string, after time.Duration, said ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			start, asked := time.Now(), 0
			v, err := untilKnown(t.Context(), wait, func() (*verdict.Verdict, error) {
				word := said[min(asked, len(said)-1)]
				asked++
				switch word {
				case "unreachable":
					return nil, errors.New(word)
				case "refused":
					return nil, &admin.RefusedError{Text: word}
				}
				return &verdict.Verdict{Verdict: word}, nil
			}, func(*verdict.Verdict) {})
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = v.Verdict
			}
			if took := time.Since(start); got != want || took != after {
				t.Errorf("%s after %v, want %s after %v", got, took, want, after)
			}
		})
	}
	const notYet, s = verdict.NotYet, time.Second
	f(0, verdict.Alike, 0, verdict.Alike)
	f(0, notYet, 0, notYet)
	f(10*s, verdict.Differs, 2*s, notYet, notYet, verdict.Differs)
	f(1500*time.Millisecond, notYet, 1500*time.Millisecond, notYet)
	f(10*s, "unreachable", 0, "unreachable", verdict.Alike)
	f(10*s, verdict.Alike, 2*s, notYet, "unreachable", verdict.Alike)
	f(1500*time.Millisecond, "unreachable", 1500*time.Millisecond, notYet, "unreachable")
	f(10*s, "refused", s, notYet, "refused")
}
