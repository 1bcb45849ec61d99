package fanout

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The last failure is kept with the time since when it is of that kind, and of
// TLS the first one, and one a minute, is in the log.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		tg := &target{common: &common{log: slog.New(slog.NewTextHandler(&out, nil))}}
		tg.cfg.URL = &url.URL{Scheme: "https", Host: "h", User: url.UserPassword("u", "secret")}
		start := time.Now()
		f := func(kind, reason string, wantSince time.Duration, wantLogged int) {
			t.Helper()
			tg.failures.note(tg, kind, errors.New(reason))
			want := Failure{kind, reason, start.Add(wantSince), time.Now()}
			if got := tg.failures.get(); got != want {
				t.Errorf("after %v: %+v, want %+v", time.Since(start), got, want)
			}
			if n := strings.Count(out.String(), "TLS with the target failed"); n != wantLogged {
				t.Errorf("after %v: %d lines in the log, want %d", time.Since(start), n, wantLogged)
			}
		}
		if got := tg.failures.get(); got != (Failure{}) {
			t.Errorf("at first it is %+v", got)
		}
		f("dial", "refused", 0, 0)
		time.Sleep(40 * time.Second)
		f("tls", "certificate 1", 40*time.Second, 1)
		time.Sleep(40 * time.Second)
		f("tls", "certificate 2", 40*time.Second, 1)
		time.Sleep(20 * time.Second)
		f("tls", "certificate 3", 40*time.Second, 2)
		time.Sleep(time.Minute + 1)
		f("tls", "certificate 4", 160*time.Second+1, 3)
		f("reset", "EOF", 160*time.Second+1, 3)
		if got := out.String(); !strings.Contains(got, `error="certificate 1"`) || strings.Contains(got, "secret") {
			t.Errorf("the log says %s", got)
		}
	})
}

// What a target did last is in its state, with its address.
func TestLastFailure(t *testing.T) {
	f := newFanout(t, nil, nobody+",conns=1")
	f.Submit(requests("GET /1"))
	drain(t, f)
	got := f.Groups()[0].Targets[0]
	if got.LastFailure.Kind != "dial" || !strings.Contains(got.LastFailure.Reason, "connection refused") || got.LastFailure.Last.IsZero() {
		t.Errorf("the last failure is %+v", got.LastFailure)
	}
}
