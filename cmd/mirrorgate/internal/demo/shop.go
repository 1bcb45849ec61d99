package demo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// itemsPath is that of the route of which one version gets the price wrong.
const itemsPath = "/api/items/"

// wrongEvery is how many items there are to each whose price it gets wrong.
const wrongEvery = 100

// shop is the application that the demo mirrors, in one of its versions: it says what
// an item costs, takes orders and finds things.
type shop struct {
	wrong    bool // the new version, which loses some prices
	listener net.Listener
	server   http.Server
	requests atomic.Uint64
}

func openShop(wrong bool) (*shop, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot open a shop: %w", err)
	}
	s := &shop{wrong: wrong, listener: listener}
	s.server = http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go s.server.Serve(listener) // ends with ErrServerClosed at Close
	return s, nil
}

// Addr is where it listens.
func (s *shop) Addr() string { return s.listener.Addr().String() }

// Requests is how many it served.
func (s *shop) Requests() uint64 { return s.requests.Load() }

// Close ends it with all connections.
func (s *shop) Close() { _ = s.server.Close() }

// ServeHTTP responds like applications do: each response has an id and a time that no
// other has.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.requests.Add(1))
	response := map[string]any{"request": fmt.Sprintf("%016x", rand.Uint64()), "at": time.Now().Format(time.RFC3339Nano)}
	name, isItem := strings.CutPrefix(r.URL.Path, itemsPath)
	switch {
	case r.Method == http.MethodPost:
		response["status"] = "accepted"
	case isItem || r.URL.RawQuery == "":
		if number, err := strconv.Atoi(name); err == nil {
			n = number
		}
		price := float64(100+n%900) / 10
		if s.wrong && n%wrongEvery == 0 {
			price = 0
		}
		response["item"] = map[string]any{"name": name, "price": price, "tags": []string{"new", "blue"}}
	default:
		response["items"] = []string{r.URL.RawQuery, "pen", "paper"}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(response) // a peer that has gone is no matter
}
