package wire

import (
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

// browserRequest is a small GET as browsers send it, with 8 header fields.
func browserRequest() codec.Request {
	return request("GET", "/catalogue/items?page=2&sort=price", "",
		"host", "shop.example.com",
		"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"accept-language", "en-US,en;q=0.5",
		"accept-encoding", "gzip, deflate, br",
		"referer", "https://shop.example.com/catalogue",
		"cookie", "session=0123456789abcdef; theme=dark",
		"cache-control", "max-age=0",
	)
}

// longCookie is a GET as browsers send it, with a cookie of 600 bytes.
func longCookie() codec.Request {
	return request("GET", "/catalogue/items?page=2&sort=price", "",
		"host", "shop.example.com",
		"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"accept-language", "en-US,en;q=0.5",
		"accept-encoding", "gzip, deflate, br",
		"referer", "https://shop.example.com/catalogue",
		"cookie", "session="+strings.Repeat("0123456789abcdef", 37),
		"cache-control", "max-age=0",
	)
}

func BenchmarkPrepare(b *testing.B) {
	rules := NewRules(Options{})
	f := func(name string, r codec.Request) {
		b.Run(name, func(b *testing.B) {
			var p Prepared
			b.SetBytes(int64(len(r.Headers.Raw)))
			b.ReportAllocs()
			for b.Loop() {
				if rules.Prepare(&p, &r) != codec.RejectNone {
					b.Fatal("rejected")
				}
			}
		})
	}
	f("small", browserRequest())
	f("long-cookie", longCookie())
}

func BenchmarkAppend(b *testing.B) {
	rules := NewRules(Options{})
	f := func(name string, r codec.Request) {
		b.Run(name, func(b *testing.B) {
			var p Prepared
			rules.Prepare(&p, &r)
			dst := make([]byte, 0, p.Size())
			b.SetBytes(int64(len(r.Headers.Raw)))
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = rules.Append(dst[:0], &p)
			}
		})
	}
	f("small", browserRequest())
	f("long-cookie", longCookie())
}
