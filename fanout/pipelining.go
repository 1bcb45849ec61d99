package fanout

import "time"

// Some servers do not pipeline (RFC 9112 section 9.3.2): they answer the first
// request and then close, or ignore what stood behind it. A target that does so
// again and again is sent single requests.

const (
	// cutsToPause is how many batches in a row have to end right behind the first
	// response.
	cutsToPause = 3
	// singleTime is how long the target is sent single requests then, in
	// nanoseconds, and singleForGood says after how many such times in singleWindow
	// it is until the next reload.
	singleTime    = int64(30 * time.Second)
	singleForGood = 3
	singleWindow  = int64(time.Hour)
)

// pipelining is what is known of how a target takes several requests on one
// connection.
type pipelining struct {
	cuts     int   // batches in a row that ended right behind the first response
	resumeAt int64 // when it is tried again; 0: now, forever: not before the next reload
	pauses   []int64
}

const forever = underWay

// ended notes the batches of several requests that ended, and returns for how
// long single requests are sent from now on, in nanoseconds; 0: no change.
func (p *pipelining) ended(now int64, whole bool, cuts int) (single int64) {
	if whole || p.resumeAt > 0 {
		p.cuts = 0
		return 0
	}
	if p.cuts += cuts; p.cuts < cutsToPause {
		return 0
	}
	p.cuts = 0
	p.pauses = append(p.pauses, now)
	if n := len(p.pauses); n >= singleForGood && now-p.pauses[n-singleForGood] < singleWindow {
		p.resumeAt = forever
		return forever
	}
	p.resumeAt = now + singleTime
	return singleTime
}

// disconnected notes that no connection could be made: what ended before may
// have been the end of the target.
func (p *pipelining) disconnected() { p.cuts = 0 }

// resumes reports whether it is time to try again.
func (p *pipelining) resumes(now int64) bool {
	if p.resumeAt == 0 || now < p.resumeAt {
		return false
	}
	p.resumeAt = 0
	return true
}
