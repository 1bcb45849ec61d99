package fanout

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Failure is the last failure of a target.
type Failure struct {
	Kind   string    // the reason of a drop or the kind of an error: dial, tls, timeout, reset, protocol
	Reason string    // one line
	Since  time.Time // when failures of this kind began, without a minute between two
	Last   time.Time
}

// failureGap is how far apart failures of one kind are that are told apart, and
// how often the log tells of those of TLS.
const failureGap = time.Minute

// failures keeps the last failure of a target.
type failures struct {
	mu     sync.Mutex
	last   Failure
	cause  error
	logged time.Time
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

// get returns the last failure; its Kind is empty if there was none.
func (f *failures) get() Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.last
	if f.cause != nil {
		last.Reason = f.cause.Error()
	}
	return last
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
