package admin

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout"
)

// Group is a group with the settings that are in force, as GET /api/targets
// gives it. Shares, rates and times are written as the options are.
type Group struct {
	Name        string     `json:"name"`
	Sample      string     `json:"sample"`
	SampleUntil *time.Time `json:"sample_until,omitempty"` // when the value reverts
	Methods     []string   `json:"methods,omitempty"`      // none: all
	Targets     []Target   `json:"targets"`
}

// Target is a target with the settings that are in force.
type Target struct {
	Name        string     `json:"name"`
	URL         string     `json:"url"`
	Weight      int        `json:"weight"`
	WeightUntil *time.Time `json:"weight_until,omitempty"`
	Rate        string     `json:"rate"`
	RateUntil   *time.Time `json:"rate_until,omitempty"`
	Paused      bool       `json:"paused"`
	PausedUntil *time.Time `json:"paused_until,omitempty"`
	Conns       int        `json:"conns"`
	Batch       int        `json:"batch"`
	Queue       int        `json:"queue"`
	Drop        string     `json:"drop"`
	Timeout     string     `json:"timeout"`
	MaxAge      string     `json:"max-age"`
	Host        string     `json:"host"`
}

func describe(states []fanout.GroupState) []Group {
	groups := []Group{}
	for _, s := range states {
		g := Group{Name: s.Name, Sample: fanout.FormatShare(s.Sample), SampleUntil: earliest(s.SampleUntil), Methods: s.Methods}
		for _, t := range s.Targets {
			g.Targets = append(g.Targets, Target{
				Name: t.Name, URL: t.URL,
				Weight: t.Weight, WeightUntil: earliest(t.WeightUntil),
				Rate: fanout.FormatRate(t.Rate), RateUntil: earliest(t.RateUntil),
				Paused: t.Paused, PausedUntil: earliest(t.PausedUntil),
				Conns: t.Conns, Batch: t.Batch, Queue: t.Queue, Drop: t.Drop.String(),
				Timeout: t.Timeout.String(), MaxAge: t.MaxAge.String(), Host: t.Host,
			})
		}
		groups = append(groups, g)
	}
	return groups
}

func (s *Server) serveTargets(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Groups []Group `json:"groups"`
	}{describe(s.fanout.Groups())})
}

func (s *Server) serveStats(w http.ResponseWriter, _ *http.Request) {
	window := s.history.window()
	stats := statsOver(window, s.fanout.Groups(), s.fanout.Compared(), s.ignored())
	stats.Version = s.cfg.Version
	stats.Uptime = time.Since(s.history.start).Seconds()
	stats.Ready = s.ready.Load()
	stats.Notes = notesOn(&stats)
	writeJSON(w, http.StatusOK, stats)
}

func (s *Server) serveHistory(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			writeError(w, http.StatusBadRequest, errors.New("after should be a tick that an earlier answer had"))
			return
		}
	}
	writeJSON(w, http.StatusOK, s.history.since(after))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(EscapeUnprintable(text), '\n')) // a peer that has gone is no matter
}

// apiError is the body of every response of the API that is no success.
type apiError struct {
	Error string `json:"error"`
}

func writeError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, apiError{err.Error()})
}
