package admin

import (
	"errors"
	"net/http"
)

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
