package probe

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// response is what is kept of one.
type response struct {
	status   int
	version  string // HTTP/1.1
	server   string
	kind     string // Content-Type
	length   int64  // bytes of the body
	keep     string // the Keep-Alive field
	closes   bool   // it announces that the connection ends behind it
	duration time.Duration
}

// print is what tells responses apart that a target gives to different requests,
// and does not change from one response to the next.
type print struct {
	status int
	kind   string
	length int64 // varies: it counts for nothing
}

const varies = -1

func (r *response) print() print { return print{r.status, r.kind, r.length} }

// withoutLength is the print of what may have another length the next time.
func (p print) withoutLength() print {
	p.length = varies
	return p
}

// is reports whether q can be another response to the same request.
func (p print) is(q print) bool {
	return p.status == q.status && p.kind == q.kind && (p.length == q.length || p.length == varies || q.length == varies)
}

func (p print) String() string {
	if p.length == varies {
		return statusText(p.status)
	}
	return fmt.Sprintf("%s with %d bytes", statusText(p.status), p.length)
}

func (r *response) String() string { return statusText(r.status) }

func statusText(code int) string {
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// keepResponse reads the body of a response away.
func keepResponse(r *http.Response, since time.Time) (kept response, err error) {
	kept = response{
		status: r.StatusCode, version: r.Proto, server: r.Header.Get("Server"), kind: r.Header.Get("Content-Type"),
		keep: r.Header.Get("Keep-Alive"), closes: r.Close, duration: time.Since(since),
	}
	kept.length, err = io.Copy(io.Discard, r.Body)
	return kept, err
}
