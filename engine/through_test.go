package engine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	vm "github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// FuzzThrough goes all the way: the bytes of a connection from HAProxy in, the
// bytes on a connection to a target out, over a real socket. The replies are
// those of the model, memory follows what came, and what reaches the target is
// exactly the requests that came, as net/http reads them.
//
// So that not every input ends at its first length, the connection starts with
// a HELLO and with a request in all its forms: with its header fields as binary
// and as text, whole and in fragments. Then comes raw.
func FuzzThrough(f *testing.F) {
	for _, b := range vectors(f, "rx NOTIFY") {
		f.Add("GET", "/", "\x04host\x01h\x00\x00", "", join(b, notify(5, get("/"))), []byte{40})
	}
	f.Add("POST", "http://u@h/a?b#c", "Transfer-Encoding: chunked\r\ncontent-length: 3\r\nConnection: x\r\nx: y\r\n\r\n",
		"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", []byte{0xff, 0xff, 0xff, 0xff}, []byte{3, 50})
	f.Add("OPTIONS", "*", "\x0econtent-length\x012\x0aconnection\x05close\x00\x00", "ab", frame(codec.FrameUnset, fin, 1, 1), []byte{0})
	f.Add("PUT", "/%zz", "content-length: 9\r\n\r\n", "ab", []byte{0, 0, 0, 0}, []byte{0, 1, 2})
	f.Add("GET", "/ HTTP/1.1\r\nx: y", "", "", frame(codec.FrameNotify, 0, 1, 1, get("/")), []byte{200})
	gate := newThrough(f)
	f.Fuzz(func(t *testing.T, method, target, headers, body string, raw, cuts []byte) {
		head := join(arg("arg_method", str(method)), arg("arg_path", str(target)))
		both := join(message("bin", 4, head, arg("arg_hdrs", bin(headers)), arg("arg_body", bin(body))),
			message("text", 4, head, arg("arg_hdrs", str(headers)), arg("arg_body", bin(body))))
		part := min(len(both), 20*len(cuts))
		in := join(announcing(2048), notify(1, both),
			frame(codec.FrameNotify, 0, 2, 1, both[:part]), frame(codec.FrameUnset, fin, 2, 1, both[part:]), raw)

		p := newPlayer(2048)
		var taken []codec.Request
		allocated := heapAllocated()
		for i, rest := 0, in; len(rest) > 0; i++ {
			n := len(rest)
			if len(cuts) > 0 {
				n = min(n, int(cuts[i%len(cuts)])+1)
			}
			p.feedTo(rest[:n], func(reqs []codec.Request) {
				for _, r := range reqs {
					if gate.submit(r) {
						taken = append(taken, clone(r))
					}
				}
			})
			rest = rest[n:]
		}
		if grown := heapAllocated() - allocated; grown > 1<<20+1000*uint64(len(in)) {
			t.Errorf("%d bytes were allocated for an input of %d", grown, len(in))
		}
		p.close()
		m := model{ours: 2048}
		m.run(in)
		if err := m.check(p); err != nil {
			t.Error(err)
		}
		gate.check(t, taken)
	})
}

// feedTo is feed with somebody who takes the requests as long as they live.
func (p *player) feedTo(in []byte, submit func([]codec.Request)) {
	w := new(wake)
	in = bytes.Clone(in)
	p.session.feed(in, w)
	w.decode()
	submit(w.reqs)
	w.arrivals = nil // they are decoded
	p.collect(w)
	spoil(in)
}

func heapAllocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func clone(r codec.Request) codec.Request {
	for _, b := range []*[]byte{&r.Method, &r.Target, &r.Version, &r.Headers.Raw, &r.Body} {
		*b = bytes.Clone(*b)
	}
	return r
}

// through is a fanout with one connection to one target, which keeps the bytes
// of each request.
type through struct {
	fanout *fanout.Fanout
	set    *vm.Set
	got    chan []byte
}

func newThrough(f *testing.F) *through {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	g := &through{set: vm.NewSet(), got: make(chan []byte, 1<<16)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			g.serve(conn)
		}
	}()
	target := fanout.DefaultTarget()
	target.Name, target.URL = "t", &url.URL{Scheme: "http", Host: ln.Addr().String()}
	target.Conns, target.Queue, target.MaxAge, target.Timeout = 1, 1<<20, time.Hour, testTimeout
	g.fanout, err = fanout.New(fanout.Config{Targets: []fanout.TargetConfig{target}, SendTruncated: true, Memory: 1 << 30,
		Metrics: g.set, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		g.fanout.Drain(context.Background())
		_ = ln.Close()
		<-served
	})
	return g
}

// serve reads requests by their Content-Length alone, which all have that have a
// body, and responds to them.
func (g *through) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		var request []byte
		length := 0
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			request = append(request, line...)
			if name, value, _ := strings.Cut(string(line), ":"); strings.EqualFold(name, "content-length") {
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
			if len(line) == len("\r\n") {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		g.got <- append(request, body...)
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// submit hands r to fanout, and reports whether that takes it.
func (g *through) submit(r codec.Request) bool {
	before := g.rejected()
	g.fanout.Submit([]codec.Request{r})
	return g.rejected() == before
}

func (g *through) rejected() (n uint64) {
	for _, r := range codec.Rejects {
		n += g.set.GetOrCreateCounter(fmt.Sprintf("mirrorgate_requests_rejected_total{reason=%q}", r)).Get()
	}
	return n
}

// check compares what reached the target with the requests that fanout took.
func (g *through) check(t *testing.T, taken []codec.Request) {
	t.Helper()
	for _, r := range taken {
		select {
		case sent := <-g.got:
			if err := isRequest(sent, r); err != nil {
				t.Errorf("%s arrived as %q: %v", describe(r), sent, err)
			}
		case <-time.After(testTimeout):
			t.Fatalf("%s never reached the target", describe(r))
		}
	}
	select {
	case sent := <-g.got:
		t.Errorf("one request more reached the target: %q", sent)
	default:
	}
}

// isRequest checks that net/http reads sent as the one request that r is.
func isRequest(sent []byte, r codec.Request) error {
	authority, path, err := codec.ParseTarget(r.Method, r.Target)
	if err != nil {
		return err
	}
	target := string(path)
	if target != "*" && !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	if strings.ContainsFunc(target, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return fmt.Errorf("the target %q cannot be sent", target)
	}
	if _, err := url.ParseRequestURI(target); err != nil {
		// net/http refuses escapes that are none; the rest is for it to judge.
		sent = bytes.Replace(sent, []byte(" "+target+" "), []byte(" / "), 1)
		target = "/"
	}
	in := bufio.NewReader(bytes.NewReader(sent))
	got, err := http.ReadRequest(in)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	if in.Buffered() > 0 || !bytes.Equal(body, r.Body) {
		return fmt.Errorf("the body is %q, with %d bytes behind it", body, in.Buffered())
	}
	if got.Method != string(r.Method) || got.RequestURI != target || got.Proto != "HTTP/1.1" || len(got.TransferEncoding) > 0 {
		return fmt.Errorf("it is %s %s %s %q", got.Method, got.RequestURI, got.Proto, got.TransferEncoding)
	}
	fields, host := endToEnd(r)
	if host == "" {
		host = string(authority)
	}
	for _, ours := range []string{"Content-Length", "X-Mirrored-By", "X-Mirrored-Truncated"} {
		got.Header.Del(ours)
	}
	if host != "" && got.Host != host || !maps.EqualFunc(got.Header, fields, slices.Equal) {
		return fmt.Errorf("the fields are %q and Host is %q, want %q and %q", got.Header, got.Host, fields, host)
	}
	return nil
}

// endToEnd returns the fields of r that have to arrive, and its Host.
func endToEnd(r codec.Request) (fields http.Header, host string) {
	fields = http.Header{}
	for it := r.Headers.Iter(); it.Next(); {
		fields.Add(string(it.Name), strings.Trim(string(it.Value), " \t"))
	}
	host = fields.Get("Host")
	gone := []string{"Host", "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Content-Length"}
	for _, value := range fields["Connection"] {
		for token := range strings.SplitSeq(value, ",") {
			gone = append(gone, strings.Trim(token, " \t"))
		}
	}
	for _, name := range gone {
		fields.Del(name)
	}
	return fields, host
}
