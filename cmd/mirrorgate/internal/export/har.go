package export

import (
	"encoding/base64"
	"net/http"
	"time"
	"unicode/utf8"
)

// HAR is an HTTP archive, version 1.2 (W3C draft of 2012-08-14, as all tools read it).
type HAR struct {
	Log Log `json:"log"`
}

// Log is all that a HAR has.
type Log struct {
	Version string  `json:"version"`
	Creator creator `json:"creator"`
	Entries []Entry `json:"entries"`
}

type creator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Entry is a request and its response.
type Entry struct {
	Started  string     `json:"startedDateTime"`
	Time     float64    `json:"time"` // milliseconds
	Request  harRequest `json:"request"`
	Response Response   `json:"response"`
	Cache    struct{}   `json:"cache"`
	Timings  timings    `json:"timings"`
	Comment  string     `json:"comment,omitempty"`
}

type harRequest struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	HTTPVersion string    `json:"httpVersion"`
	Cookies     []Pair    `json:"cookies"`
	Headers     []Pair    `json:"headers"`
	QueryString []Pair    `json:"queryString"`
	PostData    *postData `json:"postData,omitempty"`
	HeadersSize int       `json:"headersSize"`
	BodySize    int       `json:"bodySize"`
}

type postData struct {
	MimeType string `json:"mimeType"`
	Params   []Pair `json:"params"`
	Text     string `json:"text"`
	Encoding string `json:"encoding,omitempty"`
	Comment  string `json:"comment,omitempty"`
}

// Response is what is known of a response: a status of 0 stands for none.
type Response struct {
	Status      int     `json:"status"`
	StatusText  string  `json:"statusText"`
	HTTPVersion string  `json:"httpVersion"`
	Cookies     []Pair  `json:"cookies"`
	Headers     []Pair  `json:"headers"`
	Content     Content `json:"content"`
	RedirectURL string  `json:"redirectURL"`
	HeadersSize int     `json:"headersSize"`
	BodySize    int     `json:"bodySize"`
	Error       string  `json:"_error,omitempty"` // as browsers write it
}

// Content is the body of a response; Size in bytes.
type Content struct {
	Size     int    `json:"size"`
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
}

type timings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

const (
	unknownSize = -1
	httpVersion = "HTTP/1.1"
)

// NewHAR returns an archive without entries; version is that of this program.
func NewHAR(version string) *HAR {
	return &HAR{Log{"1.2", creator{"mirrorgate", version}, []Entry{}}}
}

// NewEntry returns an entry of a request that was sent or came at that time, without
// its response.
func NewEntry(at time.Time, r *Request) Entry {
	return Entry{
		Started: at.UTC().Format(time.RFC3339Nano),
		Request: harRequest{
			Method: r.Method, URL: r.URL, HTTPVersion: httpVersion, Cookies: []Pair{}, Headers: Fields(r.Header),
			QueryString: query(r.URL), PostData: newPostData(r), HeadersSize: unknownSize, BodySize: len(r.Body),
		},
		Response: Response{Cookies: []Pair{}, Headers: []Pair{}, HeadersSize: unknownSize, BodySize: unknownSize},
	}
}

// Respond adds the response, which took so many milliseconds.
func (e *Entry) Respond(status int, header, body string, milliseconds float64) {
	e.Time, e.Timings.Wait = milliseconds, milliseconds
	r := &e.Response
	r.Status, r.StatusText, r.HTTPVersion = status, http.StatusText(status), httpVersion
	r.Headers, r.RedirectURL = Fields(header), Field(header, "location")
	r.Content = Content{len(body), Field(header, "content-type"), body}
}

// HideBody leaves the body of the request out, and says why.
func (e *Entry) HideBody(why string) {
	if p := e.Request.PostData; p != nil {
		p.Text, p.Encoding, p.Comment = "", "", why
	}
}

// newPostData keeps bytes that are no text in base64, as responses have it.
func newPostData(r *Request) *postData {
	if r.Body == "" {
		return nil
	}
	p := &postData{MimeType: Field(r.Header, "content-type"), Params: []Pair{}, Text: r.Body}
	if !utf8.ValidString(r.Body) {
		p.Text, p.Encoding = base64.StdEncoding.EncodeToString([]byte(r.Body)), "base64"
	}
	return p
}
