package replay

import "time"

// clockStep is by how much a record may be older than one before it: by more, the
// clock was set back while it was recorded.
const clockStep = int64(time.Second)

// pace says when a request is to be sent: by the times of the recording, from an origin
// in it that is played at start.
type pace struct {
	speed  float64 // 2: twice as fast as it was recorded
	start  time.Time
	origin int64 // nanoseconds since 1970
	newest int64 // of the records so far
}

func newPace(speed float64, start time.Time, origin int64) pace {
	return pace{speed, start, origin, origin}
}

// due returns when a record of that time is to be sent.
func (p *pace) due(at int64) time.Time {
	if back := p.newest - at; back > clockStep {
		p.origin -= back // go on from where the clock was
		p.newest = at
	}
	p.newest = max(p.newest, at)
	return p.start.Add(time.Duration(float64(at-p.origin) / p.speed))
}
