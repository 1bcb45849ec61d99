package fanout

import (
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
