package probe

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// script serves one connection until it returns.
type script func(c net.Conn, br *bufio.Reader)

// sound answers all requests as HTTP has it.
func sound(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		respond(c, r)
	}
}

// respond gives OPTIONS another response than the rest.
func respond(c net.Conn, r *http.Request, fields ...string) {
	switch r.Method {
	case http.MethodOptions:
		io.WriteString(c, head("204 No Content", fields...))
	case http.MethodHead:
		io.WriteString(c, head("200 OK", append(fields, "Content-Length: 2")...))
	default:
		io.WriteString(c, head("200 OK", append(fields, "Content-Length: 2")...)+"ok")
	}
}

func head(status string, fields ...string) string {
	return "HTTP/1.1 " + status + "\r\n" + strings.Join(append(fields, "", ""), "\r\n")
}

// puma takes what came along with a body for the body.
func puma(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if n, _ := io.Copy(io.Discard, r.Body); n > 0 {
			br.Discard(br.Buffered())
		}
		respond(c, r)
	}
}

// gthread forgets what came along with a request, closes after two idle seconds,
// and sends to HEAD what the application returned.
func gthread(c net.Conn, br *bufio.Reader) {
	for {
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		br.Discard(br.Buffered())
		io.WriteString(c, head("200 OK", "Server: gunicorn", "Content-Length: 2")+"ok")
	}
}

// closing closes behind each response, whether it says so or not.
func closing(fields ...string) script {
	return func(c net.Conn, br *bufio.Reader) {
		if r, err := http.ReadRequest(br); err == nil {
			io.Copy(io.Discard, r.Body)
			respond(c, r, fields...)
		}
	}
}

// limited serves so many requests on a connection; the last response has the field.
func limited(n int, field string) script {
	return func(c net.Conn, br *bufio.Reader) {
		for i := range n {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			if i == n-1 && field != "" {
				respond(c, r, field)
			} else {
				respond(c, r)
			}
		}
	}
}

func hinting(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		respond(c, r, "Keep-Alive: timeout=5, max=100")
	}
}

// idling closes after some time without a request, with a farewell.
func idling(after time.Duration, farewell string) script {
	return func(c net.Conn, br *bufio.Reader) {
		for {
			c.SetReadDeadline(time.Now().Add(after))
			r, err := http.ReadRequest(br)
			if err != nil {
				io.WriteString(c, farewell)
				return
			}
			io.Copy(io.Discard, r.Body)
			respond(c, r)
		}
	}
}

// deaf reads what comes after some time without a request, and says nothing.
func deaf(after time.Duration) script {
	return func(c net.Conn, br *bufio.Reader) {
		for {
			since := time.Now()
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			if time.Since(since) < after {
				respond(c, r)
			}
		}
	}
}

// swapping answers the second and the third of three requests in the wrong order.
func swapping(c net.Conn, br *bufio.Reader) {
	for n := 1; ; n++ {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		if n == 2 && br.Buffered() > 0 {
			next, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			respond(c, next)
		}
		respond(c, r)
	}
}

// refusing takes one request at a time.
func refusing(c net.Conn, br *bufio.Reader) {
	for n := 1; ; n++ {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		if n > 1 && br.Buffered() > 0 {
			io.WriteString(c, head("429 Too Many Requests", "Content-Length: 0"))
			continue
		}
		respond(c, r)
	}
}

// overlong sends a byte too much once more requests wait.
func overlong(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		respond(c, r)
		if br.Buffered() > 0 {
			io.WriteString(c, "!")
		}
	}
}

// doubling sends one response more than there were requests in a pipeline.
func doubling(c net.Conn, br *bufio.Reader) {
	for pipelined := false; ; {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		respond(c, r)
		if pipelined = pipelined || br.Buffered() > 0; pipelined && br.Buffered() == 0 {
			respond(c, &http.Request{Method: http.MethodOptions})
		}
	}
}

func refusingLarge(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		size := len(strings.Join(r.Header["X-Probe"], ""))
		switch {
		case len(r.URL.RawQuery) > 3000:
			io.WriteString(c, head("414 URI Too Long", "Content-Length: 0"))
		case size > 10000:
			io.WriteString(c, head("431 Too Large", "Content-Length: 0"))
		case r.ContentLength > 100000:
			io.WriteString(c, head("413 Content Too Large", "Connection: close", "Content-Length: 0"))
			return // with most of the body unread
		default:
			io.Copy(io.Discard, r.Body)
			respond(c, r)
		}
	}
}

// lateHead sends a body to HEAD, long after the head.
func lateHead(c net.Conn, br *bufio.Reader) {
	for late := ""; ; {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		io.WriteString(c, late)
		respond(c, r)
		if late = ""; r.Method == http.MethodHead {
			late = "ok"
		}
	}
}

// virtual knows one Host.
func virtual(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		io.Copy(io.Discard, r.Body)
		if r.Host != "target" {
			io.WriteString(c, head("421 Misdirected Request", "Content-Length: 0"))
			continue
		}
		respond(c, r)
	}
}
