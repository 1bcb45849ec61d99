package probe

import (
	"fmt"
	"strings"
	"time"
)

// defaultBuffer is what HAProxy holds of a request by default, in bytes.
const defaultBuffer = 16 << 10

// advise makes the line of options, and says why it is as it is.
func (r *Report) advise(o *Options) {
	keys := ""
	if r.TLS != nil && r.TLS.ALPN == "h2" && r.HTTP2.Status > 0 {
		r.because("No batch: it prefers HTTP/2, over which up to 64 requests are in flight on a connection, and none waits for another.")
	} else {
		keys = ",batch=" + r.adviseBatch(o)
	}
	keys += r.adviseHost(o)
	flags := append(r.adviseTLS(o), "--target "+o.URL.Scheme+"://"+o.URL.Host+keys)
	r.Target = strings.Join(flags, " ")
	r.remark(o)
}

// overHTTP2 returns the target for those who want HTTP/2.
func (o *Options) overHTTP2() string {
	if o.URL.Scheme == "http" {
		return "h2c://" + o.URL.Host
	}
	return o.URL.Scheme + "://" + o.URL.Host
}

func (r *Report) because(format string, args ...any) {
	r.Why = append(r.Why, fmt.Sprintf(format, args...))
}

// adviseBatch recommends pipelining only if nothing speaks against it.
func (r *Report) adviseBatch(o *Options) string {
	gets := r.Pipelining.GETs
	switch {
	case !r.KeepAlive.lasts():
		r.because("batch=1: it closes the connection after each response, so each request costs a connection.")
		return "1"
	case gets.Verdict == Announces:
		r.because("batch=1: it ends a connection after %d responses, which it says, and what stands behind them is sent again.", gets.Right)
		return "1"
	case gets.Verdict != Right:
		r.because("batch=1: of requests sent in one go it %s.", gets.words())
		return "1"
	case !o.Writes:
		r.because("batch=1: GETs sent in one go are answered right, but what a POST does to the requests behind it was not tried. --writes tries it; then batch=%d may do.", batch)
		return "1"
	}
	behind := "a POST as well"
	for _, x := range r.Pipelining.POSTs {
		switch x.Verdict {
		case Right:
		case Announces:
			behind = "a POST it ends the connection, as it announces"
		default:
			r.because("batch=1: of requests sent in one go with a POST it %s.", x.words())
			return "1"
		}
	}
	r.because("batch=%d: so many requests sent in one go are answered right, and behind %s.", batch, behind)
	if !gets.Ordered {
		r.because("All of its responses look alike, so responses in a wrong order would not have been seen: a path with more to tell is better to judge by.")
	}
	return fmt.Sprint(batch)
}

func (r *Report) adviseHost(o *Options) string {
	if r.OtherHost.Same {
		return ""
	}
	r.because("host=%s: a Host that it does not know gets %s. Leave it out if it knows production's.", o.Host, r.OtherHost.words())
	return ",host=" + o.Host
}

func (r *Report) adviseTLS(o *Options) []string {
	flags := append([]string(nil), o.TLSFlags...)
	if r.TLS == nil {
		return flags
	}
	switch {
	case r.TLS.Trusted, o.TLS.InsecureSkipVerify:
	case r.TLS.unknownIssuer:
		flags = append(flags, "--tls-ca FILE")
		r.because("--tls-ca FILE: its certificate is not trusted; FILE has to hold that of its issuer, %s.", r.TLS.Issuer)
	default:
		flags = append(flags, "--tls-insecure")
		r.because("--tls-insecure: its certificate is not trusted (%s). Mend that rather than use this.", r.TLS.Distrust)
	}
	if r.TLS.ClientCertificate == "asked" {
		r.because("It asks for a client certificate, and none was shown: --tls-cert and --tls-key.")
	}
	return flags
}

// remark says what no option changes.
func (r *Report) remark(o *Options) {
	if path := o.URL.RequestURI(); path != "/" {
		r.because("%s is not in it: a path there goes in front of the mirrored one.", path)
	}
	switch class := r.Response.Status / 100; {
	case class == 3:
		r.because("GET is redirected (%s): mirrorgate follows no redirects. Is this the right scheme, Host and path?", statusText(r.Response.Status))
	case class != 2:
		r.because("GET gets %s, so all of this is about that response: a path that the application answers tells more.", statusText(r.Response.Status))
	}
	if r.Response.Status/100 == 2 && r.Posted > 0 && r.Posted/100 != 2 {
		r.because("POST gets %s, so what is said of POSTs is about that response.", statusText(r.Posted))
	}
	if k := r.KeepAlive; k.lasts() && !k.AtLeast && k.Idle > 0 && k.Unasked == "" {
		r.because("It closes idle connections after %s: more on its side saves connecting.", secondsText(k.Idle))
	}
	if r.KeepAlive.Unasked != "" {
		r.because("It sends a response that nobody asked for into idle connections: mirrorgate closes those, and counts nothing of it.")
	}
	if k := r.KeepAlive; k.Deaf != "" {
		r.because("It stops to answer on connections that were idle for %s without closing them: what is sent on them is lost.", secondsText(k.Idle))
	}
	if r.Head.Body > 0 || r.Head.Next != "" {
		r.because("It sends a body to HEAD: mirrorgate closes the connection behind each HEAD.")
	}
	if r.TLS == nil && r.HTTP2.Status > 0 {
		r.because("It speaks HTTP/2 as well: --target %s.", o.overHTTP2())
	}
	if wait := time.Duration(r.Response.Seconds * float64(time.Second)); wait > o.Timeout/2 {
		r.because("Its response took %v, close to the timeout of %v.", wait.Round(time.Millisecond), o.Timeout)
	}
	r.remarkLimit("request lines", r.Limits.Line)
	r.remarkLimit("heads", r.Limits.Head)
	r.remarkLimit("bodies", r.Limits.Body)
}

func (r *Report) remarkLimit(what string, l Limit) {
	if l.Refused > 0 && l.Refused <= defaultBuffer {
		r.because("It refuses %s of %s (%s); HAProxy mirrors requests of up to 15 KiB, and more with a larger tune.bufsize.", what, bytesText(l.Refused), l.How)
	}
}
