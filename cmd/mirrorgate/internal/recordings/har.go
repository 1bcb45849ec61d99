package recordings

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// har writes a HAR file (http://www.softwareishard.com/blog/har-12-spec). Of responses it
// knows the status and the time, at best.
type har struct {
	out     *bufio.Writer
	mask    *Mask
	written int
}

// NewHAR writes a HAR file, version 1.2; version is that of this program.
func NewHAR(w io.Writer, m *Mask, version string) Writer {
	h := &har{out: bufio.NewWriter(w), mask: m}
	fmt.Fprintf(h.out, `{"log":{"version":"1.2","creator":{"name":"mirrorgate","version":%q},"entries":[`, version)
	return h
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harBody struct {
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
	Encoding string `json:"encoding,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

type harRequest struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	HTTPVersion string    `json:"httpVersion"`
	Cookies     []harPair `json:"cookies"`
	Headers     []harPair `json:"headers"`
	QueryString []harPair `json:"queryString"`
	PostData    *harBody  `json:"postData,omitempty"`
	HeadersSize int       `json:"headersSize"`
	BodySize    int       `json:"bodySize"`
}

type harEntry struct {
	Started  string     `json:"startedDateTime"`
	Time     int        `json:"time"`
	Request  harRequest `json:"request"`
	Response struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []harPair  `json:"cookies"`
		Headers     []harPair  `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int        `json:"headersSize"`
		BodySize    int        `json:"bodySize"`
	} `json:"response"`
	Cache   struct{}   `json:"cache"`
	Timings harTimings `json:"timings"`
}

type harContent struct {
	Size     int    `json:"size"`
	MimeType string `json:"mimeType"`
}

type harTimings struct {
	Send    int `json:"send"`
	Wait    int `json:"wait"`
	Receive int `json:"receive"`
}

func (h *har) write(r *record.Record, q request) error {
	bodySize := len(q.body)
	q, shown := h.mask.apply(q)
	e := harEntry{Started: r.When().UTC().Format("2006-01-02T15:04:05.000000Z"), Time: max(r.Took, 0)}
	e.Timings.Wait = e.Time
	e.Request = harRequest{
		Method: string(q.method), URL: string(urlOf(&q)), HTTPVersion: "HTTP/1.1",
		Cookies: []harPair{}, Headers: []harPair{}, QueryString: queryOf(q.target), HeadersSize: -1, BodySize: bodySize,
	}
	for field := range bytes.SplitSeq(bytes.TrimSuffix(q.header, crlf), crlf) {
		if name, value, ok := bytes.Cut(field, []byte(":")); ok {
			e.Request.Headers = append(e.Request.Headers, harPair{string(name), string(bytes.TrimSpace(value))})
		}
	}
	if bodySize > 0 {
		e.Request.PostData = &harBody{MimeType: string(q.field("content-type")), Text: string(q.body)}
		switch {
		case !shown:
			e.Request.PostData.Text, e.Request.PostData.Comment = "", "not shown: "+string(q.body)
		case !utf8.Valid(q.body):
			e.Request.PostData.Text, e.Request.PostData.Encoding = base64.StdEncoding.EncodeToString(q.body), "base64"
		}
	}
	e.Response.Status = r.Status
	e.Response.Cookies, e.Response.Headers = []harPair{}, []harPair{}
	e.Response.HeadersSize, e.Response.BodySize = -1, -1
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cannot write request of %s: %w", r.When().Format(time.RFC3339), err)
	}
	if h.written > 0 {
		h.out.WriteByte(',')
	}
	h.written++
	h.out.WriteByte('\n')
	_, err = h.out.Write(text)
	return err
}

func queryOf(target []byte) []harPair {
	pairs := []harPair{}
	_, query, ok := bytes.Cut(target, []byte("?"))
	if !ok {
		return pairs
	}
	for pair := range bytes.SplitSeq(query, []byte("&")) {
		name, value, _ := bytes.Cut(pair, []byte("="))
		pairs = append(pairs, harPair{unescape(name), unescape(value)})
	}
	return pairs
}

func unescape(text []byte) string {
	if plain, err := url.QueryUnescape(string(text)); err == nil {
		return plain
	}
	return string(text)
}

func (h *har) end() error {
	h.out.WriteString("\n]}}\n")
	return h.out.Flush()
}
