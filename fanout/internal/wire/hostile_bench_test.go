package wire

import (
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// BenchmarkHostile is what the worst that a client can send costs: HAProxy lets
// 101 fields of together 15 kB through.
func BenchmarkHostile(b *testing.B) {
	rules := NewRules(Options{})
	f := func(name string, r codec.Request) {
		b.Run(name, func(b *testing.B) {
			var p Prepared
			b.SetBytes(int64(len(r.Headers.Raw)))
			b.ReportAllocs()
			for b.Loop() {
				rules.Prepare(&p, &r)
			}
		})
	}
	many := make([]string, 0, 200)
	for range 100 {
		many = append(many, "x-field", "")
	}
	f("Connection with many tokens", request("GET", "/", "", append(many, "connection", strings.Repeat("a,", 7000))...))
	f("many Connections", request("GET", "/", "", strings.Split(strings.Repeat("connection/"+strings.Repeat("b", 130)+"/", 100)+"x/y", "/")...))
	f("as many fields", request("GET", "/", "", strings.Split(strings.Repeat("x-field/"+strings.Repeat("b", 130)+"/", 100)+"x/y", "/")...))
}
