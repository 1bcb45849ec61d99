package probe

// Report is what a target can, as far as it was seen.
type Report struct {
	URL      string `json:"url"`
	Host     string `json:"host"`     // the Host field that was sent
	Address  string `json:"address"`  // that the name led to
	Requests int    `json:"requests"` // that were sent

	TLS        *TLS       `json:"tls,omitempty"`           // nil: plain
	Response   *Response  `json:"response,omitempty"`      // to a GET; nil: it does not speak HTTP/1.1
	Posted     int        `json:"posted_status,omitempty"` // of the response to a small POST
	KeepAlive  KeepAlive  `json:"keep_alive"`
	Pipelining Pipelining `json:"pipelining"`
	Head       Head       `json:"head"`
	OtherHost  OtherHost  `json:"other_host"`
	HTTP2      HTTP2      `json:"http2"`
	Limits     Limits     `json:"limits"`

	Target string   `json:"target,omitempty"` // the options that it recommends; empty: it cannot be mirrored to
	Why    []string `json:"why"`              // a sentence each
}

// Response is that to a GET.
type Response struct {
	Status  int     `json:"status"`
	Version string  `json:"version"` // HTTP/1.1
	Server  string  `json:"server,omitempty"`
	Bytes   int64   `json:"bytes"`   // of its body
	Seconds float64 `json:"seconds"` // from sending to the head
}

// KeepAlive is for how long a connection lasts.
type KeepAlive struct {
	Responses int     `json:"responses"`           // on one connection, of those asked for
	Announced bool    `json:"announced"`           // the last of them said that the connection ends
	Hint      string  `json:"hint,omitempty"`      // the Keep-Alive field
	Broken    string  `json:"broken,omitempty"`    // how the connection ended before all had come
	Idle      float64 `json:"idle_seconds"`        // that an idle connection stood
	AtLeast   bool    `json:"at_least"`            // it stood longer than it was watched
	Unasked   string  `json:"unasked,omitempty"`   // what came into it that nobody had asked for
	Deaf      string  `json:"then_deaf,omitempty"` // it stood, but this became of a request after that time
}

// lasts reports whether a connection serves more than one request.
func (k *KeepAlive) lasts() bool { return k.Responses > 1 }

// Verdict is what became of requests that were pipelined.
type Verdict string

// The verdicts.
const (
	Untried    Verdict = ""           // not tried
	Right      Verdict = "right"      // each got its response, in order
	Announces  Verdict = "announces"  // the connection ended before all had come, as it had said
	Closes     Verdict = "closes"     // it ended unannounced
	Stalls     Verdict = "stalls"     // it stands, and no more comes
	Mixes      Verdict = "mixes"      // responses came in another order
	Otherwise  Verdict = "otherwise"  // a response is none that the request gets alone
	Misframes  Verdict = "misframes"  // what comes is no response
	Unanswered Verdict = "unanswered" // not even the first request got a response
)

// Exchange is requests that were sent in one go on one connection.
type Exchange struct {
	Sent    int     `json:"sent"`
	Right   int     `json:"right"` // responses from the first on that are as they should be
	Verdict Verdict `json:"verdict"`
	After   float64 `json:"after_seconds"`    // from the last of them until it was clear that there are no more
	Detail  string  `json:"detail,omitempty"` // what is not right about the next
	Ordered bool    `json:"order_seen"`       // the responses differ, so that another order would have been seen
}

// Pipelining is what becomes of requests that do not wait for the response before
// them.
type Pipelining struct {
	GETs  Exchange   `json:"gets"`  // GETs, and others that are as harmless
	POSTs []Exchange `json:"posts"` // a POST with a GET behind it, and between two
}

// Head is what HEAD gets.
type Head struct {
	Status int    `json:"status"`
	Body   int    `json:"body_bytes"`       // that came behind the head, where there should be none
	Next   string `json:"next,omitempty"`   // what is not right about the response after it
	Failed string `json:"failed,omitempty"` // why there is none
}

// OtherHost is what a Host gets that the target cannot know.
type OtherHost struct {
	Status int    `json:"status"`
	Failed string `json:"failed,omitempty"`
	Same   bool   `json:"same"` // status as with the right one
}

// Limits are the largest that were taken.
type Limits struct {
	Line Limit `json:"request_line"`
	Head Limit `json:"head"` // with the request line
	Body Limit `json:"body"`
}

// Limit is the largest of some sizes that was taken.
type Limit struct {
	Tried   bool   `json:"tried"`
	Taken   int    `json:"taken_bytes"`             // 0: not even the smallest
	Refused int    `json:"refused_bytes,omitempty"` // 0: none of the sizes
	How     string `json:"refused_how,omitempty"`
}
