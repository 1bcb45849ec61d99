package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestFloorErrors(t *testing.T) {
	f := func(change func(*FloorConfig), want string) {
		t.Helper()
		cfg := FloorConfig{Listen: "127.0.0.1:0", Targets: []string{"127.0.0.1:1"}, Conns: 1, Batch: 1, Queue: 1}
		change(&cfg)
		_, err := StartFloor(cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(func(cfg *FloorConfig) { cfg.Batch = 0 }, "1 or more")
	f(func(cfg *FloorConfig) { cfg.TLS = true }, "TLS with goroutines alone")
	f(func(cfg *FloorConfig) { cfg.Listen = mustListen(t, SinkOK, 0).Addr() }, "address already in use")
}

// A target that is down costs its requests, and nothing else.
func TestFloorCountsWhatItDrops(t *testing.T) {
	f := func(goroutines bool) {
		t.Helper()
		down, err := freeAddr()
		if err != nil {
			t.Fatal(err)
		}
		listen, err := freeAddr()
		if err != nil {
			t.Fatal(err)
		}
		up := mustListen(t, SinkOK, 0)
		floor, err := StartFloor(FloorConfig{
			Listen: listen, Targets: []string{up.Addr(), down}, Conns: 2, Batch: 4, Queue: 1 << 20, Goroutines: goroutines,
		})
		if err != nil {
			t.Fatal(err)
		}
		l := testLoad()
		l.Rate = 2000
		traffic, err := holdUntilSent(t, mustDial(t, listen, l), 200).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := (sinks{up}).awaitDeliveries(t.Context(), traffic.Acked, SinkConfig{}); err != nil {
			t.Fatal(err)
		}
		if err := floor.Close(); err != nil {
			t.Fatal(err)
		}
		if up.Requests() != traffic.Sent || floor.Dropped() != traffic.Sent || traffic.Sent < 200 {
			t.Errorf("%d sent, %d delivered, %d dropped", traffic.Sent, up.Requests(), floor.Dropped())
		}
		if n := up.Conns(); n == 0 || n > 2 {
			t.Errorf("%d connections", n)
		}
	}
	f(false)
	f(true)
}

// A connection that ends loses what is in flight on it, and the last one what
// waits, too.
func TestFloorCountsWhatItLoses(t *testing.T) {
	reset := mustListen(t, SinkReset, 0)
	listen, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	floor, err := StartFloor(FloorConfig{Listen: listen, Targets: []string{reset.Addr()}, Conns: 3, Batch: 1, Queue: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	traffic, err := mustDial(t, listen, testLoad()).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// All three connections were reset by the first request on them.
	for begin := time.Now(); floor.Dropped() < traffic.Sent; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("%d of %d requests are lost", floor.Dropped(), traffic.Sent)
		}
	}
	if err := floor.Close(); err != nil {
		t.Fatal(err)
	}
	if floor.Dropped() != traffic.Sent || reset.Requests() > 3 {
		t.Errorf("%d dropped of %d, %d arrived", floor.Dropped(), traffic.Sent, reset.Requests())
	}
}

func TestFloorSendsWhatItLearned(t *testing.T) {
	frame := notify(Load{Headers: 2, Body: 3})
	f, err := codec.ParseFrame(frame[codec.LenSize:])
	if err != nil {
		t.Fatal(err)
	}
	reqs, _, err := codec.AppendRequests(nil, f.Payload)
	if err != nil {
		t.Fatal(err)
	}
	got, err := floorBlock(reqs[0], 2)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("POST /catalogue/items?page=2&sort=price HTTP/1.1\r\nhost: shop.example.com\r\n"+
		"user-agent: "+browserHeaders[1][1]+"\r\ncontent-length: 3\r\n\r\n012", 2)
	if string(got) != want {
		t.Errorf("got %q", got)
	}
}
