package main

import (
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/fanout"
)

func TestComparing(t *testing.T) {
	f := func(c fanout.Compared, want string) {
		t.Helper()
		if got := strings.Join(comparing([]fanout.Compared{c}), "\n"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(fanout.Compared{Target: "v1", Against: fanout.AgainstProduction}, "")
	f(fanout.Compared{Target: "v2", Against: "v1", Methods: []string{"GET", "HEAD"}}, "comparing v2 with v1: GET, HEAD")
	f(fanout.Compared{Target: "v2", Against: "v1", Methods: []string{"GET", "POST"}}, "comparing v2 with v1: GET, POST: v2, v1 will write")
	f(fanout.Compared{Target: "v2", Against: "v1", Noise: "v1b"},
		"comparing v2 with v1, and v1b for noise: all methods, POST, PUT, PATCH and DELETE too: v2, v1, v1b will write")
}
