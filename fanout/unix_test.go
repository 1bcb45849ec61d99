package fanout

import (
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// A target may be a unix socket.
func TestUnixTarget(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "v2.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var withHost, withoutHost atomic.Int64
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.Host + r.URL.Path {
		case "h/a":
			withHost.Add(1)
		case "localhost/b":
			withoutHost.Add(1)
		default:
			t.Errorf("it got %s at %s", r.URL.Path, r.Host)
		}
	})}
	go server.Serve(listener)
	defer server.Close()

	f := newFanout(t, nil, "v2=unix://"+socket)
	for range 20 {
		f.Submit([]codec.Request{request("GET", "/a", "", "host", "h"), request("POST", "/b", "body")})
	}
	drain(t, f)
	if withHost.Load() != 20 || withoutHost.Load() != 20 || f.targets[0].metrics.sent.Get() != 40 {
		t.Errorf("it got %d and %d requests, want 20 of each", withHost.Load(), withoutHost.Load())
	}

	bad := func(text string) {
		t.Helper()
		c, err := ParseTarget(text, DefaultTarget(), 1)
		if err == nil {
			err = c.validate()
		}
		if err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	bad("unix://host/run/v2.sock")
	bad("unix://")
	bad("unix:///run/v2.sock,http=2")
}
