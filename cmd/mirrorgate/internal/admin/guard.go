package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const (
	// maxBody bounds the body of a request, in bytes.
	maxBody = 64 << 10
	// bodyTime is how long it may take to come.
	bodyTime = 5 * time.Second
)

// guard lets through to next who may come in. With a token that is who has it,
// as a bearer token (RFC 6750 section 2.1) or as the password of any user
// (RFC 7617), so that a browser asks for it. Without one, only loopback gets
// here, and what is left to refuse is a page that had its own host name resolve
// to loopback (DNS rebinding). The two paths that say whether mirrorgate is well
// are open to everybody. Who has no token where there is one has its connection for
// one request.
func guard(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// A server-wide time-out would also end profiles, which take as long as
			// they are asked to.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		authorized := token == "" || hasToken(r, token)
		if !authorized {
			w.Header().Set("Connection", "close")
		}
		switch {
		case r.URL.Path == "/healthz" || r.URL.Path == "/readyz":
		case !authorized:
			w.Header().Set("WWW-Authenticate", `Basic realm="mirrorgate", charset="UTF-8"`)
			http.Error(w, "give the token of --admin-token-file, as a bearer token or as the password of any user", http.StatusUnauthorized)
			return
		case token == "" && !isLocal(r.Host):
			w.Header().Set("Connection", "close")
			http.Error(w, "use the IP address of this server, or localhost", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hasToken compares hashes, so that the time it takes tells nothing of the
// token, nor of its length.
func hasToken(r *http.Request, token string) bool {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		_, given, _ = r.BasicAuth()
	}
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// isLocal reports whether the value of a Host field is one that no foreign page
// can have. HTTP/1.0 has none, and no browser speaks that.
func isLocal(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	_, err = netip.ParseAddr(host)
	return err == nil || host == "" || strings.EqualFold(host, "localhost")
}

var errOrigin = errors.New("a page of another origin may not change anything here")

// sameOrigin refuses what a browser sends for a page of another origin, where it
// would change something. Whoever is no browser tells no origin and may pass.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, errOrigin)
	}))
	return protection.Handler(next)
}

// sameSite refuses whatever a browser sends for a page of another origin, for here
// a GET has its price as well: a profile takes CPU time, and a place among the
// connections.
func sameSite(next http.Handler) http.Handler {
	var protection http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asChange := *r
		asChange.Method = http.MethodPost
		if protection.Check(&asChange) != nil {
			http.Error(w, "a page of another origin may not ask for profiles", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
