package admin

import (
	"net/http"

	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// verdictStatus are the statuses by which POST /api/verdict says what it is: a hook
// that knows only success and failure needs no more.
var verdictStatus = map[string]int{
	verdict.Alike:   http.StatusOK,
	verdict.Differs: http.StatusConflict,
	verdict.NotYet:  http.StatusTooEarly,
}

// serveCompare gives the sums of this host, which those of other hosts can be added
// to.
func (s *Server) serveCompare(w http.ResponseWriter, r *http.Request) {
	summary, err := s.fanout.Comparison(r.URL.Query().Get("target"))
	if err != nil {
		writeError(w, http.StatusNotFound, err)
		return
	}
	writeJSON(w, http.StatusOK, summary)
}

// serveVerdict judges the sums of this host.
func (s *Server) serveVerdict(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	rule, err := verdict.ParseRule(query.Get("tolerance"), query.Get("latency"))
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	summary, err := s.fanout.Comparison(query.Get("target"))
	if err != nil {
		writeError(w, http.StatusNotFound, err)
		return
	}
	v := verdict.Judge(summary, rule)
	status := http.StatusOK
	if r.Method == http.MethodPost {
		status = verdictStatus[v.Verdict]
	}
	writeJSON(w, status, v)
}

// serveFresh begins the sums of a target anew, as after a new deployment.
func (s *Server) serveFresh(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get("target")
	if err := s.fanout.Fresh(target); err != nil {
		writeError(w, http.StatusNotFound, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Target string `json:"target"`
	}{target})
}
