package difference

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

// HAR is an HTTP archive, version 1.2 (W3C draft of 2012-08-14, as all tools read it).
type HAR struct {
	Log harLog `json:"log"`
}

type harLog struct {
	Version string     `json:"version"`
	Creator harCreator `json:"creator"`
	Entries []harEntry `json:"entries"`
}

type harCreator struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type harEntry struct {
	Started  string      `json:"startedDateTime"`
	Time     float64     `json:"time"` // milliseconds
	Request  harRequest  `json:"request"`
	Response harResponse `json:"response"`
	Cache    struct{}    `json:"cache"`
	Timings  harTimings  `json:"timings"`
	Comment  string      `json:"comment"`
}

type harRequest struct {
	Method      string       `json:"method"`
	URL         string       `json:"url"`
	HTTPVersion string       `json:"httpVersion"`
	Cookies     []harPair    `json:"cookies"`
	Headers     []harPair    `json:"headers"`
	QueryString []harPair    `json:"queryString"`
	PostData    *harPostData `json:"postData,omitempty"`
	HeadersSize int          `json:"headersSize"`
	BodySize    int          `json:"bodySize"`
}

type harPostData struct {
	MimeType string    `json:"mimeType"`
	Params   []harPair `json:"params"`
	Text     string    `json:"text"`
}

type harResponse struct {
	Status      int        `json:"status"`
	StatusText  string     `json:"statusText"`
	HTTPVersion string     `json:"httpVersion"`
	Cookies     []harPair  `json:"cookies"`
	Headers     []harPair  `json:"headers"`
	Content     harContent `json:"content"`
	RedirectURL string     `json:"redirectURL"`
	HeadersSize int        `json:"headersSize"`
	BodySize    int        `json:"bodySize"`
	Error       string     `json:"_error,omitempty"` // as browsers write it
}

type harContent struct {
	Size     int    `json:"size"`
	MimeType string `json:"mimeType"`
	Text     string `json:"text"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harTimings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

const (
	unknownSize = -1
	harVersion  = "HTTP/1.1"
)

// Archive makes an archive of the examples: of each, what the reference said, then
// what the target did.
func (l *List) Archive(version string) *HAR {
	h := &HAR{harLog{"1.2", harCreator{"mirrorgate", version}, []harEntry{}}}
	for _, d := range l.Examples {
		comment := ", differs in " + strings.Join(d.Names, ", ")
		h.Log.Entries = append(h.Log.Entries,
			d.entry(&d.Against, l.Against+comment), d.entry(&d.Mirror, l.Target+comment))
	}
	return h
}

func (d *Difference) entry(s *example.Side, comment string) harEntry {
	ms := s.Seconds * 1e3
	return harEntry{
		Started: d.Time.Format(time.RFC3339Nano), Time: ms, Timings: harTimings{Wait: ms}, Comment: comment,
		Request: harRequest{
			Method: d.Method, URL: d.URL, HTTPVersion: harVersion, Cookies: []harPair{}, Headers: harHeaders(d.Header),
			QueryString: harQuery(d.Target), PostData: harPost(d.Example), HeadersSize: unknownSize, BodySize: len(d.Body),
		},
		Response: harResponse{
			Status: s.Status, StatusText: http.StatusText(s.Status), HTTPVersion: harVersion, Cookies: []harPair{},
			Headers: harHeaders(s.Header), Content: harContent{len(s.Body), valueOf(s.Header, "content-type"), s.Body},
			RedirectURL: valueOf(s.Header, "location"), HeadersSize: unknownSize, BodySize: unknownSize, Error: s.Error,
		},
	}
}

func harHeaders(header string) []harPair {
	all := []harPair{}
	for _, f := range fieldsOf(header) {
		all = append(all, harPair{f.name, f.value()})
	}
	return all
}

func (f field) value() string { return strings.TrimSpace(f.line[len(f.name)+1:]) }

func valueOf(header, name string) string {
	for _, f := range fieldsOf(header) {
		if strings.EqualFold(f.name, name) {
			return f.value()
		}
	}
	return ""
}

func harQuery(target string) []harPair {
	all := []harPair{}
	_, query, _ := strings.Cut(target, "?")
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		all = append(all, harPair{unescaped(name), unescaped(value)})
	}
	return all
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

func harPost(e *example.Example) *harPostData {
	if e.Body == "" {
		return nil
	}
	return &harPostData{valueOf(e.Header, "content-type"), []harPair{}, e.Body}
}
