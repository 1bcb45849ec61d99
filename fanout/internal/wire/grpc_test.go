package wire

import (
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/codec"
)

func TestGRPC(t *testing.T) {
	whole := "\x00\x00\x00\x00\x03abc"
	f := func(edit func(r *codec.Request), contentType, te, body, want string, fields ...string) {
		t.Helper()
		rules := NewRules(Options{})
		headers := append([]string{"content-type", contentType}, fields...)
		if te != "" {
			headers = append(headers, "te", te)
		}
		r := request("POST", "/pkg.Svc/Method", body, headers...)
		r.Version = []byte("2.0")
		if edit != nil {
			edit(&r)
		}
		// Both ways to read fields say the same.
		for _, text := range []bool{false, true} {
			if text {
				var raw []byte
				for i := 0; i < len(headers); i += 2 {
					raw = append(raw, headers[i]+": "+headers[i+1]+"\r\n"...)
				}
				r.Headers = codec.Headers{Raw: append(raw, "\r\n"...), Text: true}
			}
			var p Prepared
			got := rules.Prepare(&p, &r).String()
			if got == "" {
				b, l := rules.Append(nil, &p)
				if l.GRPC {
					got += "grpc"
				}
				if l.Trailers {
					got += " trailers"
				}
				if strings.Contains(string(b), "\r\nte:") {
					got += " te"
				}
			}
			if got != want {
				t.Errorf("%s, te %q, body %q (text %v): got %s, want %s", contentType, te, body, text, got, want)
			}
		}
	}
	f(nil, "application/grpc", "trailers", whole, "grpc trailers")
	f(nil, "Application/GRPC+proto", "gzip, Trailers", whole, "grpc trailers")
	f(nil, "application/grpc;charset=x", "", whole, "grpc")
	f(nil, "application/grpc", "gzip", whole, "grpc")
	f(nil, "application/grpc", "trailers", "\x00\x00\x00\x00\x00", "grpc trailers")
	f(nil, "application/grpc", "trailers", "", "truncated")
	f(nil, "application/grpc", "trailers", whole[:4], "truncated")
	f(nil, "application/grpc", "trailers", whole[:7], "truncated")
	f(nil, "application/grpc", "trailers", whole[:7], "truncated", "content-length", "7")
	f(nil, "application/grpc", "trailers", whole, "truncated", "content-length", "100")
	f(nil, "application/grpc", "trailers", whole+"\x00", "grpc_stream")
	f(nil, "application/grpc", "trailers", whole+whole, "grpc_stream")
	// The frame is as long as one that was cut, but the message is whole.
	f(func(r *codec.Request) { r.Full = true }, "application/grpc", "trailers", whole, "grpc trailers")
	f(func(r *codec.Request) { r.NoBody, r.Body = true, nil }, "application/grpc", "trailers", "", "no_body")
	// None of gRPC, so nothing is known of messages.
	f(nil, "application/grpc-web", "trailers", whole+whole, "")
	f(nil, "application/grpcx", "trailers", whole+whole, "")
	f(nil, "application/json", "trailers", "", "")
}
