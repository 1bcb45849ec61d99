package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestVectorKinds keeps the other tests honest: they read the vectors by kind,
// so a line of another kind would not be tested at all.
func TestVectorKinds(t *testing.T) {
	got := map[string]int{}
	for _, v := range loadVectors(t) {
		got[v.kind]++
	}
	want := map[string]int{"varint": 19, "varint-reject": 3, "rx": 29, "tx": 9}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("vectors are %v, want %v", got, want)
	}
}

func TestGoldenVarint(t *testing.T) {
	for _, v := range vectorsOf(t, "varint") {
		want, err := strconv.ParseUint(v.name, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		b := v.bytes[0]
		if got := AppendUvarint(nil, want); !bytes.Equal(got, b) {
			t.Errorf("AppendUvarint(%d) = %x, want %x", want, got, b)
		}
		got, n, err := Uvarint(append(b[:len(b):len(b)], 0xff))
		if got != want || n != len(b) || err != nil {
			t.Errorf("Uvarint(%x) = %d, %d, %v, want %d, %d", b, got, n, err, want, len(b))
		}
	}
}

func TestGoldenVarintReject(t *testing.T) {
	wants := map[string]error{
		"overflow-10th-byte": ErrOverflow,
		"11-bytes":           ErrOverflow,
		"truncated":          ErrShort,
	}
	for _, v := range vectorsOf(t, "varint-reject") {
		want, ok := wants[v.name]
		if !ok {
			t.Fatalf("line %d: unknown case %q", v.line, v.name)
		}
		for _, b := range v.bytes {
			if got, n, err := Uvarint(b); got != 0 || n != 0 || err != want {
				t.Errorf("Uvarint(%x) = %d, %d, %v, want %v", b, got, n, err, want)
			}
		}
	}
}

// The frames that HAProxy sent, by what the vectors call them: what they hold,
// and that our side of HAProxy produces the same bytes.
func TestGoldenReceived(t *testing.T) {
	for _, v := range vectorsOf(t, "rx") {
		t.Run(fmt.Sprintf("line %d %s", v.line, v.name), func(t *testing.T) {
			f := v.frame(t)
			if got := AppendFrame(nil, f); !bytes.Equal(got, v.bytes[0]) {
				t.Errorf("frame is encoded as %x, want %x", got, v.bytes[0])
			}
			switch {
			case v.name == "":
				checkOldHello(t, f)
			case f.Type == FrameHAProxyHello:
				checkHello(t, f, v)
			case f.Type == FrameHAProxyDisconnect:
				checkDisconnect(t, f, v)
			case strings.HasPrefix(v.name, "NOTIFY"):
				checkNotify(t, f, v)
			case strings.HasPrefix(v.name, "type="):
				checkHead(t, f, v)
			default:
				t.Fatalf("no check for it")
			}
		})
	}
}

// checkOldHello: HAProxy 1.8.0 speaks SPOP 1.0, with its flags in host order.
func checkOldHello(t *testing.T, f Frame) {
	if f.Type != FrameHAProxyHello || f.Fin() {
		t.Errorf("frame is %v, FIN %v, want haproxy-hello without FIN", f.Type, f.Fin())
	}
	if _, err := ParseHello(f); err != StatusUnsupportedVersion {
		t.Errorf("error is %v, want %v", err, StatusUnsupportedVersion)
	}
}

func checkHello(t *testing.T, f Frame, v vector) {
	h, err := ParseHello(f)
	if err != nil {
		t.Fatal(err)
	}
	check := strings.HasSuffix(v.name, "healthcheck")
	if h.MaxFrameSize != 16380 || h.HealthCheck != check || h.Pipelining != !check {
		t.Errorf("hello is %+v", h)
	}
	// An engine-id is a UUID of 36 characters.
	if wantID := !check; wantID != (len(h.EngineID) == 36) {
		t.Errorf("engine-id is %q", h.EngineID)
	}
	if got := AppendHAProxyHello(nil, h); !bytes.Equal(got, v.bytes[0]) {
		t.Errorf("hello is encoded as %q, want %q", got, v.bytes[0])
	}
}

func checkDisconnect(t *testing.T, f Frame, v vector) {
	d, err := ParseDisconnect(f.Payload)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("HAPROXY-DISCONNECT [['status-code', ['u32', %d]], ['message', ['str', '%s']]]", d.Status, d.Message)
	if name != v.name {
		t.Errorf("it holds %s", name)
	}
	if got := AppendHAProxyDisconnect(nil, d.Status); !bytes.Equal(got, v.bytes[0]) {
		t.Errorf("disconnect is encoded as %q, want %q", got, v.bytes[0])
	}
}

func checkHead(t *testing.T, f Frame, v vector) {
	name := fmt.Sprintf("type=%d flags=%d sid=%d fid=%d", f.Type, f.Flags, f.StreamID, f.FrameID)
	if name != v.name {
		t.Errorf("it holds %s", name)
	}
}

const (
	curlHeaders = "host: 127.0.0.1:19130\nuser-agent: curl/7.88.1\naccept: */*\n"
	formType    = "content-type: application/x-www-form-urlencoded\n"
)

// What the vectors' names do not tell of a NOTIFY, by its path. HAProxy 2.6 sends
// "te" to the agent, and the 3.5 client of the same path sent none.
var golden = map[string]struct{ version, headers, body string }{
	"sid=0 /a?b=c":                        {"1.1", curlHeaders, ""},
	"sid=1 /a?b=c":                        {"1.1", curlHeaders, ""},
	"sid=2 /post":                         {"1.1", curlHeaders + "content-length: 5\n" + formType, "hello"},
	"sid=3 /post":                         {"1.1", curlHeaders + "content-length: 5\n" + formType, "hello"},
	"sid=4 /pf":                           {"1.1", curlHeaders, ""},
	"sid=5 *":                             {"1.1", curlHeaders, ""},
	"sid=6 http://127.0.0.1:19130/h2pk?x": {"2.0", curlHeaders, ""},
	"sid=7 http://127.0.0.1:19130/h2post": {"2.0", curlHeaders + "te: trailers\ncontent-length: 6\n" + formType + "cookie: a=1; b=2\n", "bodyh2"},
	"sid=5 http://127.0.0.1:19130/h2post": {"2.0", curlHeaders + "content-length: 6\n" + formType + "cookie: a=1; b=2\n", "bodyh2"},
	"sid=9 /chk":                          {"1.1", curlHeaders + "transfer-encoding: chunked\n" + formType, "chunked-data"},
	"sid=10 /v10":                         {"1.0", curlHeaders, ""},
	"sid=11 /expect":                      {"1.1", curlHeaders + "x-empty: \nx-dup: 1\nx-dup: 2\ncontent-length: 6\n" + formType, "abcdef"},
}

func checkNotify(t *testing.T, f Frame, v vector) {
	r := decodeOne(t, f.Payload)
	name := fmt.Sprintf("NOTIFY sid=%d fid=%d %s %s", f.StreamID, f.FrameID, r.Method, r.Target)
	if name != v.name {
		t.Errorf("it holds %s", name)
	}
	want, ok := golden[fmt.Sprintf("sid=%d %s", f.StreamID, r.Target)]
	if !ok {
		t.Fatal("nothing is known of it")
	}
	if string(r.Version) != want.version {
		t.Errorf("version is %q, want %q", r.Version, want.version)
	}
	if got := headerText(t, r.Headers); got != want.headers {
		t.Errorf("headers are\n%swant\n%s", got, want.headers)
	}
	if string(r.Body) != want.body {
		t.Errorf("body is %q, want %q", r.Body, want.body)
	}
	if r.BodySize != -1 || r.Full || r.Reject != RejectNone {
		t.Errorf("request is %+v, want neither a body size, nor full, nor rejected", r)
	}
	if got := AppendNotify(nil, f.StreamID, f.FrameID, r); !bytes.Equal(got, v.bytes[0]) {
		t.Errorf("request is encoded as %q, want %q", got, v.bytes[0])
	}
}

// The three fragments of one POST, put together, are the message that we would
// send in one frame.
func TestGoldenFragments(t *testing.T) {
	var payload []byte
	fragments := 0
	for _, v := range vectorsOf(t, "rx") {
		if !strings.HasPrefix(v.name, "type=") || strings.Contains(v.name, "sid=0") {
			continue
		}
		f := v.frame(t)
		fragments++
		if f.Fin() != (fragments == 3) {
			t.Errorf("fragment %d has FIN %v", fragments, f.Fin())
		}
		payload = append(payload, f.Payload...)
	}
	if fragments != 3 {
		t.Fatalf("there are %d fragments, want 3", fragments)
	}
	r := decodeOne(t, payload)
	if string(r.Target) != "/one" || !bytes.Equal(r.Body, bytes.Repeat([]byte("q"), 300)) {
		t.Errorf("request is %s with the body %q", r.Target, r.Body)
	}
	if got := appendMirrorMessage(nil, r); !bytes.Equal(got, payload) {
		t.Errorf("message is encoded as %q, want %q", got, payload)
	}
}

func decodeOne(t *testing.T, payload []byte) Request {
	t.Helper()
	reqs, others, err := AppendRequests(nil, payload)
	if len(reqs) != 1 || others != 0 || err != nil {
		t.Fatalf("payload holds %d requests, %d others, error %v, want one request", len(reqs), others, err)
	}
	return reqs[0]
}

func headerText(t *testing.T, h Headers) string {
	t.Helper()
	var text strings.Builder
	it := h.Iter()
	for it.Next() {
		fmt.Fprintf(&text, "%s: %s\n", it.Name, it.Value)
	}
	if it.Err() != nil {
		t.Fatal(it.Err())
	}
	return text.String()
}

// The frames that every tested HAProxy accepts are those that we send, and our
// side of HAProxy reads them.
func TestGoldenSent(t *testing.T) {
	setVar := append(AppendString([]byte{1, 3, 2}, "ok"), 0x11)
	encoders := map[string][]byte{
		"AGENT-HELLO 2.0/16380/pipelining,fragmentation":     AppendAgentHello(nil, 16380),
		"AGENT-HELLO 2.0/16380/pipelining":                   plainAgentHello(16380, "pipelining"),
		"ACK sid=1 fid=1 unset-var txn._ (works everywhere)": AppendAck(nil, 1, 1),
		"ACK sid=4294967295 fid=1 unset-var txn._":           AppendAck(nil, 1<<32-1, 1),
		"ACK+ABORT sid=1 fid=1":                              AppendAckAbort(nil, 1, 1),
		"AGENT-DISCONNECT 0 normal":                          AppendAgentDisconnect(nil, StatusNormal),
		"AGENT-DISCONNECT 8 unsupported version":             AppendAgentDisconnect(nil, StatusUnsupportedVersion),
		// Not what we send, for the reasons their names give, but frames like any other.
		"ACK sid=1 fid=1 no actions (BROKEN on 3.1.0)": AppendFrame(nil, Frame{Type: FrameAck, Flags: FlagFin, StreamID: 1, FrameID: 1}),
		"ACK sid=1 fid=1 set-var txn.ok=true":          AppendFrame(nil, Frame{Type: FrameAck, Flags: FlagFin, StreamID: 1, FrameID: 1, Payload: setVar}),
	}
	for _, v := range vectorsOf(t, "tx") {
		got, ok := encoders[v.name]
		if !ok {
			t.Errorf("no encoder for %q", v.name)
		}
		if !bytes.Equal(got, v.bytes[0]) {
			t.Errorf("%s is encoded as %x, want %x", v.name, got, v.bytes[0])
		}
		f := v.frame(t)
		switch f.Type {
		case FrameAgentHello:
			size, pipelining, err := ParseAgentHello(f)
			if size != 16380 || !pipelining || err != nil {
				t.Errorf("%s is read as %d, %v, %v", v.name, size, pipelining, err)
			}
		case FrameAgentDisconnect:
			d, err := ParseDisconnect(f.Payload)
			if text := fmt.Sprintf("AGENT-DISCONNECT %d %s", d.Status, d.Message); text != v.name || err != nil {
				t.Errorf("%s is read as %s, %v", v.name, text, err)
			}
		case FrameAck:
			if f.Abort() != strings.Contains(v.name, "ABORT") || !f.Fin() {
				t.Errorf("%s has the flags %v", v.name, f.Flags)
			}
		}
	}
}

func plainAgentHello(size uint64, caps string) []byte {
	p := AppendString(nil, "version")
	p = AppendValue(p, Value{Type: TypeString, Bytes: []byte("2.0")})
	p = AppendString(p, "max-frame-size")
	p = AppendValue(p, Value{Type: TypeUint32, Int: size})
	p = AppendString(p, "capabilities")
	p = AppendValue(p, Value{Type: TypeString, Bytes: []byte(caps)})
	return AppendFrame(nil, Frame{Type: FrameAgentHello, Flags: FlagFin, Payload: p})
}
