package bench

import (
	"strings"
	"testing"

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
	f(func(cfg *FloorConfig) { cfg.Targets = nil }, "the floor needs a target")
	f(func(cfg *FloorConfig) { cfg.Batch = 0 }, "1 or more")
	f(func(cfg *FloorConfig) { cfg.Listen = mustListen(t, SinkOK, 0).Addr() }, "address already in use")
}

// A target that is down costs its requests, and nothing else.
func TestFloorCountsWhatItDrops(t *testing.T) {
	down, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	listen, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	up := mustListen(t, SinkOK, 0)
	floor, err := StartFloor(FloorConfig{Listen: listen, Targets: []string{up.Addr(), down}, Conns: 2, Batch: 4, Queue: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	l := testLoad()
	l.Rate = 2000
	traffic, err := mustDial(t, listen, l).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := (sinks{up}).settle(t.Context(), traffic.Acked, SinkConfig{}); err != nil {
		t.Fatal(err)
	}
	if err := floor.Close(); err != nil {
		t.Fatal(err)
	}
	if up.Requests() != 200 || floor.Dropped() != 200 {
		t.Errorf("%d delivered, %d dropped", up.Requests(), floor.Dropped())
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
