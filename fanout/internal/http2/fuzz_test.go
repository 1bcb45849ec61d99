package http2

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// FuzzConn checks that it makes no difference where frames are cut, and that
// whatever comes is taken.
func FuzzConn(f *testing.F) {
	p := newPeer()
	p.headers(1, false, ":status: 200", "x: y")
	p.WriteDataPadded(1, false, []byte("hello"), make([]byte, 3))
	p.WritePing(false, [8]byte{})
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	p.WriteWindowUpdate(1, 3)
	p.WriteGoAway(3, 0, []byte("x"))
	p.WriteData(5, true, nil)
	p.WriteRSTStream(3, 7)
	p.headers(1, true, "grpc-status: 14")
	f.Add(p.out.Bytes(), uint(20), uint(40))
	p.out.Reset()
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: p.block(":status: 503"), EndStream: true})
	p.WriteContinuation(5, true, nil)
	f.Add(p.out.Bytes(), uint(5), uint(9))
	f.Fuzz(func(t *testing.T, b []byte, i, j uint) {
		whole := start(t, 3, 70_000)
		want, wantErr := readAll(whole, b)
		i, j = i%uint(len(b)+1), j%uint(len(b)+1)
		pieces := start(t, 3, 70_000)
		got, err := readAll(pieces, b, int(min(i, j)), int(max(i, j)))
		if err != wantErr || joinData(got) != joinData(want) {
			t.Errorf("cut at %d and %d: %q %v, want %q %v", i, j, got, err, want, wantErr)
		}
		for _, c := range []*Conn{whole, pieces} {
			open, sending := 0, 0
			for _, s := range c.streams {
				if s.id != 0 {
					open++
				}
				if len(s.body) > 0 {
					sending++
				}
			}
			if open != c.open || sending != c.sending {
				t.Errorf("%d streams are open and %d send, counted as %d and %d", open, sending, c.open, c.sending)
			}
		}
	})
}

// joinData joins what happened, as if no DATA had been cut.
func joinData(events []string) string {
	return strings.ReplaceAll(strings.Join(events, ";"), "\";2: data=\"", "")
}

// FuzzBlock checks against golang.org/x/net/http2/hpack what is read of a header
// block.
func FuzzBlock(f *testing.F) {
	p := newPeer()
	f.Add(p.block(":status: 200", "content-type: application/grpc", "grpc-status: 14"))
	f.Add(p.block(":status: 302", "x: y"))
	f.Add(p.block("grpc-status: 139"))
	f.Add([]byte("\x08\x03404\x00\x0bgrpc-status\x0212"))
	f.Add([]byte("\x20\x48\x82\x64\x02"))
	f.Add([]byte("\x3f\xe1\x1f\x88"))
	f.Fuzz(func(t *testing.T, b []byte) {
		decoder := hpack.NewDecoder(0, nil)
		decoder.SetAllowedMaxDynamicTableSize(0)
		fields, wantErr := decoder.DecodeFull(b)
		info, ok, err := readBlock(b)
		if err != nil {
			if wantErr == nil && len(b) < 1<<20 {
				t.Errorf("%x: %v, but it is %v", b, err, fields)
			}
			return
		}
		if wantErr != nil || !ok {
			return // what is in Huffman code is not all decoded
		}
		want := blockInfo{grpc: NoGRPCStatus}
		for _, field := range fields {
			digits := digitsOf(field.Value)
			switch field.Name {
			case ":status":
				want.status = uint16(digits)
			case "grpc-status":
				if want.grpc = int16(digits); digits < 0 {
					want.grpc = BadGRPCStatus
				}
			}
		}
		if info.status != want.status || info.grpc != want.grpc {
			t.Errorf("%x: %+v, want %+v", b, info, want)
		}
	})
}

// digitsOf reads up to three digits; -1: they are none.
func digitsOf(s string) int {
	n, ok := (&text{b: []byte(s)}).digits(3)
	if !ok {
		return -1
	}
	return n
}

// FuzzRequest checks that what is written can be read by others, and says the
// same.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/", "a", "X-Name", "value", []byte("body"))
	f.Add("PROPFIND", "/x", "", "x", strings.Repeat("v", 500), []byte{})
	f.Fuzz(func(t *testing.T, method, path, authority, name, value string, body []byte) {
		if name == "" || strings.ContainsAny(name, ":\r\n") || strings.ContainsAny(value, "\r\n") {
			return
		}
		c := start(t, 0, 0)
		r := Request{Method: []byte(method), Path: []byte(path), Authority: []byte(authority),
			Lines: [2][]byte{[]byte(name + ": " + value + "\r\n"), []byte("z: 1\r\nlast: of all the fields\r\n")}, Body: body}
		dst, _ := c.AppendRequest(make([]byte, 0, len(body)+len(path)+len(value)+1<<16), &r)
		want := []hpack.HeaderField{{Name: ":method", Value: method}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: path}}
		if authority != "" {
			want = append(want, hpack.HeaderField{Name: ":authority", Value: authority})
		}
		lowered := []byte(name)
		lower(lowered)
		want = append(want, hpack.HeaderField{Name: string(lowered), Value: value},
			hpack.HeaderField{Name: "z", Value: "1"}, hpack.HeaderField{Name: "last", Value: "of all the fields"})
		var block []byte
		var got []byte
		fr := http2.NewFramer(nil, bytes.NewReader(dst))
		for {
			frame, err := fr.ReadFrame()
			if err != nil {
				break
			}
			switch frame := frame.(type) {
			case *http2.HeadersFrame:
				block = append(block, frame.HeaderBlockFragment()...)
			case *http2.ContinuationFrame:
				block = append(block, frame.HeaderBlockFragment()...)
			case *http2.DataFrame:
				got = append(got, frame.Data()...)
			}
		}
		fields, err := hpack.NewDecoder(0, nil).DecodeFull(block)
		if err != nil || !slices.Equal(fields, want) {
			t.Errorf("%v %v, want %v", fields, err, want)
		}
		if len(body) <= defaultWindow && !bytes.Equal(got, body) {
			t.Errorf("body %q, want %q", got, body)
		}
	})
}
