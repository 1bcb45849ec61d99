package http2

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// sent reads requests as a server would: "GET http host/path name=value… body".
type sent struct {
	fr     *http2.Framer
	in     bytes.Buffer
	bodies map[uint32]int
	heads  map[uint32]string
	ended  []string
}

func newSent() *sent {
	s := &sent{bodies: map[uint32]int{}, heads: map[uint32]string{}}
	s.fr = http2.NewFramer(nil, &s.in)
	s.fr.ReadMetaHeaders = hpack.NewDecoder(0, nil)
	return s
}

func (s *sent) read(t testing.TB, b []byte) {
	t.Helper()
	s.in.Write(b)
	for s.in.Len() > 0 {
		f, err := s.fr.ReadFrame()
		if err != nil {
			t.Fatalf("cannot read what was written: %v %v", err, s.fr.ErrorDetail())
		}
		h := f.Header()
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			text := ""
			for _, field := range f.Fields {
				text += field.Name + "=" + field.Value + " "
			}
			s.heads[h.StreamID] = strings.TrimSpace(text)
			if f.StreamEnded() {
				s.ended = append(s.ended, fmt.Sprintf("%s 0", s.heads[h.StreamID]))
			}
		case *http2.DataFrame:
			s.bodies[h.StreamID] += len(f.Data())
			if f.StreamEnded() {
				s.ended = append(s.ended, fmt.Sprintf("%s %d", s.heads[h.StreamID], s.bodies[h.StreamID]))
			}
		default:
			t.Fatalf("wrote %v", h)
		}
	}
}

func TestRequests(t *testing.T) {
	f := func(r Request, want string) {
		t.Helper()
		c := start(t, 0, 0)
		dst, _ := c.AppendRequest(make([]byte, 0, 1<<20), &r)
		s := newSent()
		s.read(t, dst)
		if got := strings.Join(s.ended, "; "); got != want {
			t.Errorf("got %.300s, want %.300s", got, want)
		}
	}
	b := func(s string) []byte { return []byte(s) }
	f(Request{Method: b("GET"), Path: b("/"), Authority: b("a:80")}, ":method=GET :scheme=http :path=/ :authority=a:80 0")
	f(Request{Method: b("POST"), Path: b("/x?y"), HTTPS: true, Body: b("abc")}, ":method=POST :scheme=https :path=/x?y 3")
	f(Request{Method: b("PURGE"), Prefix: b("/p"), Path: b("/"), Lines: [2][]byte{b("X-A: 1\r\n")}, Trailers: true},
		":method=PURGE :scheme=http :path=/p/ x-a=1 te=trailers 0")
	f(Request{Method: b("GET"), Path: b("/"), Lines: [2][]byte{b("Host: x\r\na:b\r\nno colon\r\n"), b("Empty: \r\n")}},
		":method=GET :scheme=http :path=/ host=x a=b empty= 0")
	long := strings.Repeat("v", 300)
	f(Request{Method: b("GET"), Path: b("/" + long), Lines: [2][]byte{b("x" + long + ": " + long + "\r\n")}},
		":method=GET :scheme=http :path=/"+long+" x"+long+"="+long+" 0")
	huge := strings.Repeat("v", 50_000) // HEADERS and three times CONTINUATION
	f(Request{Method: b("GET"), Path: b("/"), Lines: [2][]byte{b("x: " + huge + "\r\n")}, Body: b("abc")},
		":method=GET :scheme=http :path=/ x="+huge+" 3")
}

func TestPreface(t *testing.T) {
	b := NewConn(1).AppendPreface(nil)
	if !bytes.HasPrefix(b, []byte(http2.ClientPreface)) {
		t.Fatalf("%q", b)
	}
	fr := http2.NewFramer(nil, bytes.NewReader(b[len(http2.ClientPreface):]))
	f, err := fr.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	settings := f.(*http2.SettingsFrame)
	for id, want := range map[http2.SettingID]uint32{
		http2.SettingHeaderTableSize: 0, http2.SettingEnablePush: 0,
		http2.SettingInitialWindowSize: StreamWindow, http2.SettingMaxHeaderListSize: MaxBlock,
	} {
		if got, ok := settings.Value(id); !ok || got != want {
			t.Errorf("%v is %d, want %d", id, got, want)
		}
	}
	if f, err = fr.ReadFrame(); err != nil || f.(*http2.WindowUpdateFrame).Increment != connWindow-defaultWindow {
		t.Error(f, err)
	}
	if _, err = fr.ReadFrame(); err != io.EOF {
		t.Error(err)
	}
}

// TestFlowControl sends bodies through windows of all sizes, and none is ever
// overrun.
func TestFlowControl(t *testing.T) {
	f := func(initial, connection, update uint32, room int, sizes ...int) {
		t.Helper()
		c := NewConn(8)
		p := newPeer()
		p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: initial})
		if _, err := readAll(c, p.out.Bytes()); err != nil {
			t.Fatal(err)
		}
		c.window = int64(connection)
		s := newSent()
		want := 0
		for _, size := range sizes {
			dst, _ := c.AppendRequest(make([]byte, 0, room+100), &Request{Method: []byte("POST"), Path: []byte("/"), Body: make([]byte, size)})
			s.read(t, dst)
			want += size
		}
		got := func() (n int) {
			for _, body := range s.bodies {
				n += body
			}
			return n
		}
		for turns := 0; len(s.ended) < len(sizes); turns++ {
			if turns > 1_000_000 {
				t.Fatalf("%d of %d bytes were sent", got(), want)
			}
			dst, more := c.AppendData(make([]byte, 0, room))
			s.read(t, dst)
			for id, body := range s.bodies {
				if allowed := int64(initial) + int64(update)*int64(turns); int64(body) > allowed {
					t.Fatalf("stream %d sent %d bytes, %d are allowed", id, body, allowed)
				}
			}
			if more {
				continue
			}
			p.out.Reset()
			for i := range c.streams {
				if len(c.streams[i].body) > 0 {
					p.WriteWindowUpdate(c.streams[i].id, update)
					p.WriteWindowUpdate(0, update)
				}
			}
			if _, err := readAll(c, p.out.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
		if got() != want || c.sending != 0 {
			t.Errorf("%d bytes were sent, want %d; %d streams are sending", got(), want, c.sending)
		}
	}
	f(65535, 65535, 65535, 1<<16, 10, 60_000, 100_000)
	f(1, 1, 1, 1<<16, 3000, 100)
	f(0, 65535, 7, 1<<16, 1000)
	f(1<<20, 100, 100, 1<<16, 5000)
	f(1<<20, 1<<20, 1, 64, 5000, 6000)
}

// TestShrinkingWindow lets the peer take back what it allowed
// (RFC 9113 section 6.9.2).
func TestShrinkingWindow(t *testing.T) {
	c := start(t, 0, 0)
	set := func(value uint32) {
		t.Helper()
		p := newPeer()
		p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: value})
		if _, err := readAll(c, p.out.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	f := func(initial uint32, want int) {
		t.Helper()
		set(initial)
		dst, _ := c.AppendData(make([]byte, 0, 1<<20))
		if got := max(0, len(dst)-frameHeader); got != want {
			t.Errorf("an initial window of %d: %d bytes more, want %d", initial, got, want)
		}
	}
	set(10)
	c.AppendRequest(make([]byte, 0, 1<<20), &Request{Method: []byte("POST"), Path: []byte("/"), Body: make([]byte, 100)})
	f(5, 0)
	f(12, 2)
	f(0, 0)
	f(100, 88)
}
