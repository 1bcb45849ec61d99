package fanout

import (
	"errors"
	"net"
	"os"
)

// dropReason says why a request that was selected for a target was not sent.
type dropReason uint8

const (
	dropNone dropReason = iota
	dropPaused
	dropBreaker
	dropRate
	dropMemory
	dropQueueFull
	dropShed
	dropStale
	dropDial
	dropTLS
	dropDisk
	dropIO
	dropBroker
	dropShutdown
	dropRemoved
	dropReasons // how many there are
)

func (r dropReason) String() string {
	return [...]string{"", "paused", "breaker", "rate", "memory", "queue_full", "shed", "stale", "dial", "tls", "disk", "io", "broker", "shutdown", "removed"}[r]
}

// errorKind says how a request that was sent ended without a response.
type errorKind uint8

const (
	errorTimeout errorKind = iota
	errorReset
	errorProtocol
	errorTLS
	errorAborted
	errorKinds
)

func (k errorKind) String() string {
	return [...]string{"timeout", "reset", "protocol", "tls", "aborted"}[k]
}

// The classes of status codes: 1xx to 5xx, and other for 600 to 999; and what stands
// for a response at a target that is a recording.
const (
	classOther    = 5
	classRecorded = 6
	codeClasses   = 7
)

func codeClass(code int) int {
	if code < 100 {
		return classOther // what HAProxy says may be anything
	}
	return min(code/100-1, classOther)
}

func className(class int) string {
	return [codeClasses]string{"1xx", "2xx", "3xx", "4xx", "5xx", "other", "recorded"}[class]
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// tlsAlert reports whether the error is an alert of TLS, of either side.
func tlsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
