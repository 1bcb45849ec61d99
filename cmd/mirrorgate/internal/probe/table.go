package probe

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// The marks in front of a line.
const (
	good    = "ok"
	heed    = "!"
	unknown = "-"
)

// Write writes the report, a line for each question, and the line that it
// recommends.
func (r *Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(mark, what, text string) { fmt.Fprintf(t, "%s\t%s\t%s\n", mark, what, text) }
	row(good, "connect", r.Address)
	if r.TLS != nil {
		r.TLS.rows(row)
	}
	if r.Response != nil {
		r.rows(row)
	}
	row(r.HTTP2.row(r.TLS != nil))
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Target != "" {
		fmt.Fprintf(w, "\nRecommended, after %d requests:\n\n    mirrorgate %s\n\n", r.Requests, r.Target)
	}
	for _, why := range r.Why {
		fmt.Fprintf(w, "%s\n", why)
	}
	return nil
}

func (r *Report) rows(row func(mark, what, text string)) {
	row(mark(r.Response.Status/100 == 2), "GET", r.Response.words())
	row(r.KeepAlive.row())
	row(r.Pipelining.row())
	for i, x := range r.Pipelining.POSTs {
		row(x.row("", []string{"POST GET", "GET POST GET"}[i]))
	}
	if r.Posted == 0 && r.Pipelining.POSTs == nil {
		row(unknown, "", "behind a POST: not tried, --writes does")
	}
	row(r.Head.row())
	row(mark(r.OtherHost.Same), "other Host", r.OtherHost.words())
	row(r.Limits.Line.row("request line"))
	row(r.Limits.Head.row("head"))
	row(r.bodyRow())
}

func mark(ok bool) string {
	if ok {
		return good
	}
	return heed
}

func (t *TLS) rows(row func(mark, what, text string)) {
	alpn := "no ALPN"
	if t.ALPN != "" {
		alpn = "ALPN " + t.ALPN
	}
	row(good, "TLS", t.Version+", "+alpn)
	trust := "trusted"
	if !t.Trusted {
		trust = "not trusted: " + t.Distrust
	}
	row(mark(t.Trusted), "certificate", trust)
	row("", "", fmt.Sprintf("%s (%s), issued by %s", t.Subject, strings.Join(t.Names, ", "), t.Issuer))
	left := time.Until(t.Expires)
	row(mark(left > expiresSoon), "", fmt.Sprintf("expires %s, %d days from now", t.Expires.Format(time.DateOnly), int(left.Hours()/24)))
	if t.ClientCertificate != "" {
		row(mark(t.ClientCertificate == "shown"), "client cert", t.ClientCertificate+map[string]string{"asked": " for, none was shown"}[t.ClientCertificate])
	}
}

// expiresSoon is when an expiry should be heeded.
const expiresSoon = 14 * 24 * time.Hour

func (r *Response) words() string {
	text := fmt.Sprintf("%s in %s, %s, %d bytes", statusText(r.Status), secondsText(r.Seconds), r.Version, r.Bytes)
	if r.Server != "" {
		text += ", Server: " + r.Server
	}
	return text
}

func (k KeepAlive) row() (string, string, string) {
	text, ok := "", k.AtLeast
	switch {
	case k.Broken != "" && k.Responses == 1:
		text = "no: after its first response, unannounced, " + k.Broken
	case !k.lasts():
		text = "no: it closes after each response, and says so"
	case k.Broken != "":
		text, ok = fmt.Sprintf("%d responses on a connection, then, unannounced, %s; ", k.Responses, k.Broken), false
		fallthrough
	default:
		text += k.idleWords()
	}
	if k.Hint != "" {
		text += " (Keep-Alive: " + k.Hint + ")"
	}
	return mark(ok && k.Deaf == ""), "keep-alive", text
}

func (k KeepAlive) idleWords() string {
	switch idle := secondsText(k.Idle); {
	case k.Deaf != "":
		return "an idle connection stood " + idle + ", but then: " + k.Deaf
	case k.AtLeast:
		return "an idle connection stands at least " + idle
	case k.Unasked != "":
		return "after " + idle + " an idle connection got, unasked, " + k.Unasked
	case k.Idle > 0:
		return "an idle connection is closed after " + idle
	}
	return "an idle connection could not be had"
}

func (p Pipelining) row() (string, string, string) {
	mark, what, text := p.GETs.row("pipelining", "GETs")
	if p.GETs.Verdict == Right && !p.GETs.Ordered {
		text += " (all alike: another order would not show)"
	}
	return mark, what, text
}

func (x Exchange) row(what, which string) (string, string, string) {
	if x.Verdict == Untried {
		return unknown, what, "not tried: a connection serves one request"
	}
	return mark(x.Verdict == Right || x.Verdict == Announces), what, which + " in one go: " + x.words()
}

// words continue "of requests sent in one go it …".
func (x Exchange) words() string {
	answered := fmt.Sprintf("answers %d of %d", x.Right, x.Sent)
	switch x.Verdict {
	case Right:
		if x.Ordered {
			return answered + ", in order"
		}
		return answered
	case Announces:
		return answered + ", then ends the connection, as it announces"
	case Closes:
		return fmt.Sprintf("%s, then closes unannounced after %s", answered, secondsText(x.After))
	case Stalls:
		return fmt.Sprintf("%s, then nothing for %s: what stood behind is lost", answered, secondsText(x.After))
	case Mixes:
		return answered + ", then mixes them up: " + x.Detail
	case Unanswered:
		return "answers none: " + x.Detail
	}
	return answered + ", then " + x.Detail
}

func (h Head) row() (string, string, string) {
	switch {
	case h.Failed != "":
		return heed, "HEAD", h.Failed
	case h.Body > 0:
		return heed, "HEAD", fmt.Sprintf("%s, with %d bytes behind it that should not be there", statusText(h.Status), h.Body)
	case h.Next != "":
		return heed, "HEAD", statusText(h.Status) + ", but the next response is broken: " + h.Next
	}
	return good, "HEAD", statusText(h.Status) + ", no body"
}

func (o OtherHost) words() string {
	if o.Failed != "" {
		return o.Failed
	}
	text := statusText(o.Status)
	if o.Same {
		text += ", as with its own"
	}
	return text
}

func (h HTTP2) row(secure bool) (string, string, string) {
	how := "prior knowledge"
	if secure {
		how = "ALPN"
	}
	switch {
	case h.Status > 0 && h.Streams > 0:
		return good, "HTTP/2", fmt.Sprintf("yes, by %s: %s, %d streams at once", how, statusText(h.Status), h.Streams)
	case h.Status > 0:
		return good, "HTTP/2", fmt.Sprintf("yes, by %s: %s", how, statusText(h.Status))
	case h.Spoken:
		return heed, "HTTP/2", fmt.Sprintf("by %s, but: %s", how, h.Failed)
	}
	return unknown, "HTTP/2", "not by " + how
}

func (r *Report) bodyRow() (string, string, string) {
	mark, what, text := r.Limits.Body.row("body")
	if r.Limits.Body.Tried && r.Posted/100 != 2 {
		mark, text = heed, text+" (POST gets "+statusText(r.Posted)+")"
	}
	return mark, what, text
}

func (l Limit) row(what string) (string, string, string) {
	switch {
	case !l.Tried:
		return unknown, what, "not tried, --writes does"
	case l.Refused == 0:
		return good, what, "at least " + bytesText(l.Taken)
	case l.Taken == 0:
		return heed, what, fmt.Sprintf("%s is refused: %s", bytesText(l.Refused), l.How)
	}
	return mark(l.Refused > defaultBuffer), what, fmt.Sprintf("%s, but not %s: %s", bytesText(l.Taken), bytesText(l.Refused), l.How)
}

func bytesText(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return strconv.Itoa(n>>20) + " MiB"
	}
	return strconv.Itoa(n>>10) + " KiB"
}

func secondsText(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond / 10).String()
	}
	return d.Round(time.Microsecond).String()
}
