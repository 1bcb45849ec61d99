package options

import (
	"slices"
	"testing"
)

// Targets without a name are named after their host.
func TestNameTargets(t *testing.T) {
	f := func(want []string, targets ...string) {
		t.Helper()
		o := Options{Targets: targets, Conns: 1, Batch: 1}
		all, err := o.ParseTargets()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, target := range all {
			names = append(names, target.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%q are named %q, want %q", targets, names, want)
		}
	}
	f([]string{"staging"}, "http://staging:8080/x,conns=3")
	f([]string{"v2", "a.example.com"}, "v2=http://staging", "https://a.example.com")
	f([]string{"a-2", "a", "a-3"}, "http://a:1", "a=http://b", "http://a:2")
	f([]string{"--1"}, "http://[::1]:80")
	f([]string{"peak"}, "file:///var/lib/mirrorgate/peak,max=1GiB")
}
