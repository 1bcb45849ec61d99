package engine

import (
	"io"
	"sync/atomic"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// Each ACK tells what holds when its NOTIFY came, those of one read the same.
func TestSteer(t *testing.T) {
	var steer atomic.Uint32
	steer.Store(10_000)
	s := serve(t, func(cfg *Config) { cfg.Steer = &steer })
	c := s.greet(t)
	f := func(rate uint32, notifies int) {
		t.Helper()
		steer.Store(rate)
		var in []byte
		want := string(codec.AppendAckVar(nil, 7, 1, "rate", uint64(rate)))
		for range notifies {
			in = append(in, notify(7, get("/"))...)
		}
		c.send(in)
		for range notifies {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				t.Fatalf("the ACK is %q, %v, want %q", got, err, want)
			}
		}
	}
	f(10_000, 1)
	f(100, 20)
	f(2500, 1)
}
