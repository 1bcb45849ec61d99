//go:build servers

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/readings"
)

// Of a thousand requests a second one in a hundred is a long poll, a stream of
// events without end, or has a response of 2 MB. None of the others is lost, and
// the target is not taken for dead. All but the slow ones ask for 302.
func TestServersSlowResponses(t *testing.T) {
	const total, slow = 3000, 30
	f := func(name, keys string, respond slowResponse, want string) {
		t.Run(name+keys, func(t *testing.T) {
			a := startAgent(t, "--target", "t="+startPartlySlow(t, respond)+keys, "--max-age", "2m")
			a.sendPartlySlow(total)
			counted := a.atRest(total, map[string][]string{"t": {"t"}})

			responses := counted.By("code", "mirrorgate_target_responses_total")
			if responses["3xx"] != total-slow {
				t.Errorf("%d of %d other requests are lost", total-slow-responses["3xx"], total-slow)
			}
			delete(responses, "3xx")
			got := readings.List(responses)
			for what, counts := range lossesOf(counted) {
				if len(counts) > 0 {
					got += what + " " + readings.List(counts)
				}
			}
			if got != want {
				t.Errorf("what is counted besides: %s; want %s", got, want)
			}
			if strings.Contains(a.log.String(), "breaker opened") {
				t.Errorf("the breaker opened: %s", a.log)
			}
		})
	}
	for _, keys := range []string{"", ",batch=64"} {
		f("long polls", keys, func(_ http.ResponseWriter, over <-chan struct{}) { <-over }, "errors timeout 30")
		f("event streams", keys, streamEvents, "2xx 30")
		f("large responses", keys, func(w http.ResponseWriter, _ <-chan struct{}) {
			w.Header().Set("Content-Length", "2097152")
			io.Copy(w, io.LimitReader(zeros{}, 2<<20))
		}, "2xx 30")
	}
}

// slowResponse responds until it has an error, or the test is over.
type slowResponse func(w http.ResponseWriter, over <-chan struct{})

func streamEvents(w http.ResponseWriter, over <-chan struct{}) {
	w.Header().Set("Content-Type", "text/event-stream")
	events := time.NewTicker(300 * time.Millisecond)
	defer events.Stop()
	for {
		io.WriteString(w, "data: x\n\n")
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-over:
			return
		case <-events.C:
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// startPartlySlow is a target that responds in its own way to what asks for 200,
// to the rest at once.
func startPartlySlow(t *testing.T, slow slowResponse) (url string) {
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if status := statusOf(r.URL.Path); status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		slow(w, over)
	}))
	t.Cleanup(func() {
		close(over)
		s.Close()
	})
	return s.URL
}

// sendPartlySlow sends a thousand requests a second; every hundredth, a GET, asks
// for 200.
func (a *agent) sendPartlySlow(total int) {
	clients := []*mixClient{a.mixClient(), a.mixClient(), a.mixClient(), a.mixClient()}
	const step = 20
	pace := time.NewTicker(step * time.Millisecond)
	defer pace.Stop()
	for sent := 0; sent < total; sent += step {
		requests := make([]mixed, step)
		for i := range requests {
			m := mixed{id: sent + i + 1, method: "GET", asks: http.StatusFound}
			switch {
			case m.id%100 == 50:
				m.asks = http.StatusOK
			case m.id%3 == 0:
				m.method, m.body = "POST", []byte("abc")
			}
			m.status = m.asks
			requests[i] = m
		}
		clients[sent/step%len(clients)].send(requests...)
		<-pace.C
	}
}
