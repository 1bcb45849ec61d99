package probe

import (
	"net/http"
	"strconv"
)

// request is one to the path of the URL.
type request struct {
	method string
	host   string   // empty: that of the options
	query  string   // goes behind the URL's own
	fields []string // lines of the head
	body   []byte   // nil: none
}

var get = request{method: http.MethodGet}

// post returns a POST with a body of so many bytes.
func post(size int) request {
	body := make([]byte, size)
	for i := range body {
		body[i] = 'x'
	}
	return request{method: http.MethodPost, body: body, fields: []string{"Content-Type: application/octet-stream"}}
}

// append adds the request in wire format. The marker keeps a mirroring HAProxy
// from mirroring it.
func (r *request) append(dst []byte, o *Options) []byte {
	host := r.host
	if host == "" {
		host = o.host()
	}
	dst = append(dst, r.method+" "+o.target(r.query)+" HTTP/1.1\r\nHost: "+host+"\r\n"...)
	dst = append(dst, "User-Agent: mirrorgate-probe\r\nAccept: */*\r\nX-Mirrored-By: mirrorgate\r\n"...)
	for _, field := range r.fields {
		dst = append(dst, field+"\r\n"...)
	}
	if r.body != nil {
		dst = append(dst, "Content-Length: "+strconv.Itoa(len(r.body))+"\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	return append(dst, r.body...)
}

// target is the request target in origin-form (RFC 9112 section 3.2.1).
func (o *Options) target(query string) string {
	u := *o.URL
	if u.RawQuery != "" && query != "" {
		query = "&" + query
	}
	u.RawQuery += query
	return u.RequestURI()
}
