package probe

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// script serves one connection until it returns.
type script func(c net.Conn, br *bufio.Reader)

// each reads requests with their bodies, and has them answered until that says that
// the connection ends, or the client ends it.
func each(answer func(c net.Conn, br *bufio.Reader, r *http.Request) (goOn bool)) script {
	return func(c net.Conn, br *bufio.Reader) {
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			if !answer(c, br, r) {
				return
			}
		}
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

// sound answers all requests as HTTP has it, with more fields in each response.
func sound(fields ...string) script {
	return each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
		respond(c, r, fields...)
		return true
	})
}

// constant sends one and the same to everybody.
func constant(response string) script {
	return each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
		io.WriteString(c, response)
		return true
	})
}

// lengths answers with bodies of these lengths in turn; OPTIONS gets a status, and
// longer ones.
func lengths(options string, n ...int) script {
	return func(c net.Conn, br *bufio.Reader) {
		i := 0
		each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
			status, body := "200 OK", strings.Repeat("x", n[i%len(n)])
			if i++; r.Method == http.MethodOptions {
				status, body = options, strings.Repeat(body, 10)
			}
			response := head(status, "Content-Length: "+strconv.Itoa(len(body)))
			if r.Method != http.MethodHead {
				response += body
			}
			io.WriteString(c, response)
			return true
		})(c, br)
	}
}

// refusingPOST ends the connection behind it.
func refusingPOST() script {
	return each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
		if r.Method == http.MethodPost {
			io.WriteString(c, head("405 Method Not Allowed", "Connection: close", "Content-Length: 0"))
			return false
		}
		return plainly(c, br, r)
	})
}

// slow takes its time.
func slow(wait time.Duration) script {
	return each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
		time.Sleep(wait)
		respond(c, r)
		return true
	})
}

// hinting sends an interim response first (RFC 8297).
func hinting() script {
	return each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
		io.WriteString(c, head("103 Early Hints"))
		respond(c, r)
		return true
	})
}

// puma takes what came along with a body for the body.
func puma() script {
	return each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
		if r.ContentLength > 0 {
			br.Discard(br.Buffered())
		}
		respond(c, r)
		return true
	})
}

// gthread forgets what came along with a request, closes after two idle seconds,
// and sends to HEAD what the application returned.
func gthread() script {
	return idling(2*time.Second, "", func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
		br.Discard(br.Buffered())
		io.WriteString(c, head("200 OK", "Server: gunicorn", "Content-Length: 2")+"ok")
		return true
	})
}

// limited serves so many requests on a connection; the last response has the fields.
func limited(n int, fields ...string) script {
	return func(c net.Conn, br *bufio.Reader) {
		served := 0
		each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
			if served++; served == n {
				respond(c, r, fields...)
				return false
			}
			respond(c, r)
			return true
		})(c, br)
	}
}

// closingBehind closes behind the response to a method, and says so.
func closingBehind(method string) script {
	return each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
		if r.Method == method {
			respond(c, r, "Connection: close")
			return false
		}
		respond(c, r)
		return true
	})
}

// idling closes after some time without a request, with a farewell.
func idling(after time.Duration, farewell string, answer func(net.Conn, *bufio.Reader, *http.Request) bool) script {
	return func(c net.Conn, br *bufio.Reader) {
		c.SetReadDeadline(time.Now().Add(after))
		each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
			goOn := answer(c, br, r)
			c.SetReadDeadline(time.Now().Add(after))
			return goOn
		})(c, br)
		io.WriteString(c, farewell)
	}
}

// plainly answers as HTTP has it.
func plainly(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
	respond(c, r)
	return true
}

// deaf reads what comes after some time without a request, and says nothing.
func deaf(after time.Duration) script {
	return func(c net.Conn, br *bufio.Reader) {
		last := time.Now()
		each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
			if time.Since(last) < after {
				respond(c, r)
				last = time.Now()
			}
			return true
		})(c, br)
	}
}

// swapping answers the second and the third of several requests in the wrong order.
func swapping() script {
	return func(c net.Conn, br *bufio.Reader) {
		var second *http.Request
		n := 0
		each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
			if n++; n == 2 && br.Buffered() > 0 {
				second = r
				return true
			}
			respond(c, r)
			if second != nil {
				respond(c, second)
				second = nil
			}
			return true
		})(c, br)
	}
}

// refusing refuses requests that stand behind others, but not the first.
func refusing() script {
	return func(c net.Conn, br *bufio.Reader) {
		n := 0
		each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
			if n++; n > 1 && br.Buffered() > 0 {
				io.WriteString(c, head("429 Too Many Requests", "Content-Length: 0"))
				return true
			}
			return plainly(c, br, r)
		})(c, br)
	}
}

// overlong sends a byte too much when more requests wait.
func overlong() script {
	return each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
		respond(c, r)
		if br.Buffered() > 0 {
			io.WriteString(c, "!")
		}
		return true
	})
}

// doubling sends one response more than there were requests in a pipeline.
func doubling() script {
	return func(c net.Conn, br *bufio.Reader) {
		pipelined := false
		each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
			respond(c, r)
			if pipelined = pipelined || br.Buffered() > 0; pipelined && br.Buffered() == 0 {
				respond(c, &http.Request{Method: http.MethodOptions})
			}
			return true
		})(c, br)
	}
}

// refusingLarge has limits; the body that is too large it does not read.
func refusingLarge(c net.Conn, br *bufio.Reader) {
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		switch size := len(strings.Join(r.Header["X-Probe"], "")); {
		case len(r.URL.RawQuery) > 3000:
			io.WriteString(c, head("414 URI Too Long", "Content-Length: 0"))
		case size > 10000:
			io.WriteString(c, head("431 Too Large", "Content-Length: 0"))
		case r.ContentLength > 100000:
			io.WriteString(c, head("413 Content Too Large", "Connection: close", "Content-Length: 0"))
			return
		default:
			io.Copy(io.Discard, r.Body)
			respond(c, r)
		}
	}
}

// lateHead sends a body to HEAD, long after the head.
func lateHead() script {
	return func(c net.Conn, br *bufio.Reader) {
		late := ""
		each(func(c net.Conn, _ *bufio.Reader, r *http.Request) bool {
			io.WriteString(c, late)
			respond(c, r)
			if late = ""; r.Method == http.MethodHead {
				late = "ok"
			}
			return true
		})(c, br)
	}
}

// virtual knows one Host.
func virtual(host string) script {
	return each(func(c net.Conn, br *bufio.Reader, r *http.Request) bool {
		if r.Host != host {
			io.WriteString(c, head("421 Misdirected Request", "Content-Length: 0"))
			return true
		}
		return plainly(c, br, r)
	})
}
