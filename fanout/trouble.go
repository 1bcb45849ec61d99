package fanout

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// trouble notes an error of a connection. Whether it counts as a failure of the
// target: one that was good before and then ended does not, for a target may close
// what is idle when it likes.
func (t *target) trouble(c *conn, cause error) {
	if t.aborting.Err() != nil {
		return
	}
	reason := t.explain(cause)
	t.failures.note(t, kindOf(cause), reason)
	if !c.proven || isTimeout(cause) {
		t.failed(reason, c.start)
	}
}

// failed counts a failure of what was begun at that time.
func (t *target) failed(cause error, begun int64) {
	opened := false
	t.mu.Lock()
	if !t.draining {
		if opened = t.breaker.fail(t.now(), begun); opened {
			t.dialLimit = 1
		}
	}
	t.mu.Unlock()
	if opened {
		t.log.Warn("breaker opened: dropping requests until the target answers", "target", t.cfg.Name,
			"url", t.cfg.URL.Redacted(), "failures", breakerFailures, "error", cause)
	}
}

// endProbe notes the end of a probe. If no status came the next one has to wait.
func (t *target) endProbe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.breaker.open() {
		t.breaker.postpone(t.now())
	}
}

// note keeps a failure, and tells of one of TLS in the log: for its reason is seen
// nowhere else.
func (f *failures) note(t *target, kind string, cause error) {
	now := time.Now()
	f.mu.Lock()
	if f.last.Kind != kind || now.Sub(f.last.Last) > failureGap {
		f.last.Since = now
	}
	f.last.Kind, f.last.Last, f.cause = kind, now, cause
	logs := kind == errorTLS.String() && now.Sub(f.logged) >= failureGap
	if logs {
		f.logged = now
	}
	f.mu.Unlock()
	if logs {
		t.log.Warn("TLS with the target failed", "target", t.cfg.Name, "url", t.cfg.URL.Redacted(), "error", cause)
	}
}

// explain says what an error of a connection means where it does not say so
// itself.
func (t *target) explain(err error) error {
	switch {
	case isTimeout(err):
		return fmt.Errorf("no response within %v", t.cfg.Timeout)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the target closed the connection before a response")
	}
	return err
}

// kindOf is the kind of error that a connection ended with before a response.
func kindOf(err error) string {
	switch {
	case isTimeout(err):
		return errorTimeout.String()
	case tlsAlert(err):
		return errorTLS.String()
	}
	return errorReset.String()
}
