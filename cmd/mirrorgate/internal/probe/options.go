package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// HostTarget is the value of Options.Host that means the host of the URL.
const HostTarget = "target"

// idleAtMost is how long an idle connection is watched.
const idleAtMost = 20 * time.Second

// Options say what to ask, and of whom.
type Options struct {
	URL     *url.URL      // http or https; all requests go to its path
	Host    string        // of the Host field: HostTarget, or a value
	Writes  bool          // send POSTs, too
	Timeout time.Duration // for connecting, and for each response
	// TLS has the certificates to trust and to show. The connection is made whether
	// the target is trusted or not; the report says which.
	TLS *tls.Config
	// TLSFlags are those of the command line that the target needs as well, like
	// "--tls-ca FILE"; they are printed in front of the --target that is recommended.
	TLSFlags []string

	dial func(ctx context.Context, network, address string) (net.Conn, error) // of a test; nil: the real one
	idle time.Duration                                                        // of a test; 0: idleAtMost
}

// ParseURL reads the URL of a target, with the path to send requests to.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("the URL %q should be like http://host:8080/path or https://host/path", text)
	case strings.ContainsFunc(u.Host, func(r rune) bool { return strings.ContainsRune("!$&'()*+,;=\"<>", r) }):
		return nil, fmt.Errorf("the URL %q should have a host name or an address", text)
	case u.User != nil:
		return nil, errors.New("the URL holds a user name or a password; probe sends no credentials")
	case u.Fragment != "":
		return nil, fmt.Errorf("the URL %s has a fragment, which is never sent; leave #%s out", u, u.Fragment)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("the URL's port is %s, should be from 1 to 65535", port)
		}
	}
	return u, nil
}

// Validate returns an error that names the option that is wrong.
func (o *Options) Validate() error {
	switch {
	case o.Host == "keep":
		return errors.New("--host keep: a probe has no mirrored request whose Host it could keep; give a name, or target for that of the URL")
	case o.Host == "" || strings.ContainsFunc(o.Host, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }):
		return fmt.Errorf("--host is %q, should be target or a host name", o.Host)
	}
	return nil
}

// Requests is how many requests Run sends at most.
func (o *Options) Requests() int {
	n := keepAliveRequests + idleRequests + markerRequests + pipelinedRequests + headRequests + hostRequests +
		len(lineSizes) + len(headSizes) + http2Requests
	if o.Writes {
		n += postRequests + len(bodySizes)
	}
	return n
}

// Plan says in a sentence what Run will do.
func (o *Options) Plan() string {
	what := "none of them a POST (--writes sends some)"
	if o.Writes {
		what = fmt.Sprintf("%d of them POST", writtenPosts+len(bodySizes))
	}
	return fmt.Sprintf("Sending up to %d requests to %s, %s; an idle connection is watched for up to %v.",
		o.Requests(), o.URL.Redacted(), what, o.idleAtMost())
}

func (o *Options) idleAtMost() time.Duration {
	if o.idle > 0 {
		return o.idle
	}
	return idleAtMost
}

// address is where to connect.
func (o *Options) address() string {
	port := o.URL.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[o.URL.Scheme]
	}
	return net.JoinHostPort(o.URL.Hostname(), port)
}

// host is the value of the Host field.
func (o *Options) host() string {
	if o.Host == HostTarget {
		return o.URL.Host
	}
	return o.Host
}
