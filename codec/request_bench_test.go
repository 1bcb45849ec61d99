package codec

import "testing"

func browserNotify() []byte {
	var h []byte
	for _, kv := range [][2]string{
		{"host", "shop.example.com"},
		{"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
		{"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
		{"accept-language", "en-US,en;q=0.5"},
		{"accept-encoding", "gzip, deflate, br"},
		{"referer", "https://shop.example.com/catalogue"},
		{"cookie", "session=0123456789abcdef; theme=dark"},
		{"cache-control", "max-age=0"},
	} {
		h = AppendHeader(h, kv[0], kv[1])
	}
	return AppendNotify(nil, 1, 1, Request{
		Method: []byte("GET"), Target: []byte("/catalogue/items?page=2&sort=price"), Version: []byte("1.1"),
		Headers: Headers{Raw: AppendHeadersEnd(h)}, BodySize: -1,
	})
}

func BenchmarkNotifyToAck(b *testing.B) {
	frame := browserNotify()
	var reqs []Request
	var out []byte
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := ParseFrame(frame[LenSize:])
		if err != nil {
			b.Fatal(err)
		}
		out = AppendAck(out[:0], f.StreamID, f.FrameID)
		if reqs, _, err = AppendRequests(reqs[:0], f.Payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeaders(b *testing.B) {
	frame := browserNotify()
	f, _ := ParseFrame(frame[LenSize:])
	reqs, _, _ := AppendRequests(nil, f.Payload)
	b.SetBytes(int64(len(reqs[0].Headers.Raw)))
	b.ReportAllocs()
	for b.Loop() {
		it := reqs[0].Headers.Iter()
		for it.Next() {
		}
	}
}

func BenchmarkTarget(b *testing.B) {
	method, target := []byte("GET"), []byte("https://shop.example.com/catalogue/items?page=2&sort=price")
	b.SetBytes(int64(len(target)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseTarget(method, target); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUvarint(b *testing.B) {
	in := AppendUvarint(nil, 16380)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Uvarint(in); err != nil {
			b.Fatal(err)
		}
	}
}
