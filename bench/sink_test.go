package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func mustListen(tb testing.TB, mode SinkMode, delay time.Duration) *Sink {
	tb.Helper()
	s, err := ListenSink("127.0.0.1:0", mode, delay)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

const sinkRequests = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + "HEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n" +
	"POST /3 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"

// talk sends the three requests above in one write and describes the responses:
// their status and the size of their bodies, and how the connection ended.
func talk(t *testing.T, s *Sink) string {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := io.WriteString(nc, sinkRequests); err != nil {
		t.Fatal(err)
	}
	if s.mode == SinkHang {
		// Nothing will ever be read: it is enough that all has arrived.
		for s.Requests() < 3 {
			time.Sleep(time.Millisecond)
		}
		return "silence"
	}
	r := bufio.NewReader(nc)
	var seen []string
	for _, method := range []string{"GET", "HEAD", "POST"} {
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			end := "EOF"
			if errors.Is(err, syscall.ECONNRESET) {
				end = "RST"
			}
			return strings.Join(append(seen, end), " ")
		}
		n, err := io.Copy(io.Discard, response.Body)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, fmt.Sprintf("%d:%d", response.StatusCode, n))
	}
	return strings.Join(seen, " ")
}

func TestSinkModes(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := func(mode SinkMode, want string, requests uint64) {
		t.Helper()
		s := mustListen(t, mode, time.Millisecond)
		got := talk(t, s)
		s.Close()
		if got != want || s.Requests() != requests || s.Conns() != 1 || s.Bytes() == 0 {
			t.Errorf("%s: got %q, %d requests on %d connections", mode, got, s.Requests(), s.Conns())
		}
	}
	f(SinkOK, "200:0 200:0 200:0", 3)
	f(SinkDelay, "200:0 200:0 200:0", 3)
	f(SinkHang, "silence", 3)
	f(SinkReset, "RST", 1)
	f(SinkCloseEach, "200:0 EOF", 1)
	f(SinkChunked, "200:11 200:0 200:11", 3)
	f(SinkBig, "200:262144 200:0 200:262144", 3)
	f(SinkFields, "200:0 200:0 200:0", 3)
	f(Sink5xx, "503:0 503:0 503:0", 3)
}

func TestSinkDelaysEachResponse(t *testing.T) {
	s := mustListen(t, SinkDelay, 20*time.Millisecond)
	start := time.Now()
	talk(t, s)
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("three responses took %s", took)
	}
}

func TestSinkClosesWhileItDelays(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := mustListen(t, SinkDelay, time.Hour)
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := io.WriteString(nc, sinkRequests); err != nil {
		t.Fatal(err)
	}
	for s.Requests() == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Close()
	s.Close()
}

func TestSinkErrors(t *testing.T) {
	f := func(addr string, mode SinkMode, want string) {
		t.Helper()
		_, err := ListenSink(addr, mode, 0)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(mustListen(t, SinkOK, 0).Addr(), SinkOK, "address already in use")
	f("127.0.0.1:0", "perhaps", `unknown sink mode "perhaps": must be one of [ok delay`)
}

// What a client may frame its requests by, and what it hears.
func TestSinkFramings(t *testing.T) {
	f := func(input, want string, requests uint64, fails string) {
		t.Helper()
		s := mustListen(t, SinkOK, 0)
		nc, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.WriteString(nc, input); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(nc, got); err != nil || string(got) != want {
			t.Errorf("%q: %v, got %q", input, err, got)
		}
		if strings.Contains(want, "close") {
			if _, err := nc.Read(got); err != io.EOF {
				t.Errorf("%q: the connection goes on: %v", input, err)
			}
		}
		if s.Requests() != requests || fmt.Sprint(s.Err()) != fails {
			t.Errorf("%q: %d requests, %v", input, s.Requests(), s.Err())
		}
	}
	const chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	const none = "<nil>"
	f(chunked+"3\r\nabc\r\n0\r\n\r\n", okResponse, 1, none)
	f("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", continueResponse, 0, none)
	f(chunked+"x\r\n", badResponse, 0, `cannot read what the agent sends to the sink: the chunk size "x"`)
	f("GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0\r\n", okResponse+badResponse, 1, "cannot read what the agent sends to the sink: HTTP/2, which this sink does not speak")
}

func TestSinkEndsAConnectionThatTheClientHasDoneWith(t *testing.T) {
	s := mustListen(t, SinkOK, 0)
	for _, request := range []string{"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"} {
		nc, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := io.WriteString(nc, request); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(nc); err != nil || string(got) != okResponse {
			t.Errorf("%q: %v, %q", request, err, got)
		}
	}
}

// BenchmarkSink is how many requests a second one connection brings.
func BenchmarkSink(b *testing.B) {
	s := mustListen(b, SinkOK, 0)
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	const batch = 32
	requests := []byte(strings.Repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", batch))
	responses := make([]byte, batch*len(okResponse))
	b.SetBytes(int64(len(requests)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(requests); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, responses); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "requests/s")
}

// TestSinkHTTP2 has Go's client talk to a sink.
func TestSinkHTTP2(t *testing.T) {
	s := mustListen(t, SinkOK, 0)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	for i := range 20 {
		response, err := (&http.Client{Transport: transport}).Post("http://"+s.Addr(), "text/plain", strings.NewReader(strings.Repeat("b", 10_000*(i%3))))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.ProtoMajor != 2 {
			t.Errorf("%s %s", response.Proto, response.Status)
		}
	}
	if n := s.Requests(); n != 20 {
		t.Errorf("%d requests came, want 20", n)
	}
}
