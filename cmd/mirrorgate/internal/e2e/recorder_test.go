package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// recorder is an HTTP server that keeps what it gets to the byte. It stands for
// the origin as well as for targets.
type recorder struct {
	listener net.Listener
	mute     bool // accepts and reads, but never responds

	mu       sync.Mutex
	requests []recorded
	conns    map[net.Conn]struct{}
}

// recorded is a request as it came, in lines without their ends.
type recorded struct {
	line    string
	headers []string
	body    string // without the framing, if it was chunked
}

// header returns the value of the first field of that name.
func (r recorded) header(name string) string {
	for _, h := range r.headers {
		if value, ok := strings.CutPrefix(h, name+": "); ok {
			return value
		}
	}
	return ""
}

func startRecorder(t *testing.T) *recorder { return serveRecorder(t, &recorder{}) }

func serveRecorder(t *testing.T, r *recorder) *recorder {
	t.Helper()
	var err error
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r.conns = map[net.Conn]struct{}{}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns[conn] = struct{}{}
			r.mu.Unlock()
			serving.Go(func() { r.serve(conn) })
		}
	})
	t.Cleanup(func() {
		r.listener.Close()
		r.mu.Lock()
		for conn := range r.conns {
			conn.Close()
		}
		r.mu.Unlock()
		serving.Wait()
	})
	return r
}

func (r *recorder) addr() string { return r.listener.Addr().String() }
func (r *recorder) url() string  { return "http://" + r.addr() }

func (r *recorder) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := readRecorded(in)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.requests = append(r.requests, req)
		r.mu.Unlock()
		if r.mute {
			continue
		}
		response := "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
		if !strings.HasPrefix(req.line, "HEAD ") {
			response += "ok"
		}
		if _, err := io.WriteString(conn, response); err != nil {
			return
		}
	}
}

func readRecorded(in *bufio.Reader) (r recorded, err error) {
	lines, err := readHead(in)
	if err != nil {
		return r, err
	}
	r.line, r.headers = lines[0], lines[1:]
	var body io.Reader
	if r.header("transfer-encoding") != "" {
		body = httputil.NewChunkedReader(in)
	} else {
		n, _ := strconv.ParseInt(r.header("content-length"), 10, 64)
		body = io.LimitReader(in, n)
	}
	b, err := io.ReadAll(body)
	if err == nil && r.header("transfer-encoding") != "" {
		_, err = readHead(in) // trailers
	}
	r.body = string(b)
	return r, err
}

// readHead reads lines up to the empty one.
func readHead(in *bufio.Reader) (lines []string, err error) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimSuffix(line, "\r\n")
		if line == "" {
			return lines, nil
		}
		lines = append(lines, line)
	}
}

func (r *recorder) all() []recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]recorded(nil), r.requests...)
}

func (r *recorder) count() int { return len(r.all()) }
