package bench

import (
	"errors"
	"fmt"
	"time"
)

// Load says what a generator sends.
type Load struct {
	Connections int           // SPOP connections
	InFlight    int           // frames that wait for their ACK, on each connection, in a closed loop; 1: in an open loop too
	Rate        float64       // requests a second over all connections; 0: closed loop
	Body        int           // bytes of body; with one the method is POST
	Headers     int           // header fields, the first eight like those of a browser
	Warmup      time.Duration // not measured
	Duration    time.Duration // measured

	cookie       int // bytes of the cookie; 0: a short one
	cookieFields int // that it is cut into; 0: 1

	frame []byte // what is sent instead of what Body and Headers say
	peers int    // addresses that the connections come from; 0: what the system takes
}

// DefaultLoad is a closed loop of 16 connections with 16 frames in flight on
// each, a GET with 8 header fields, for 5 seconds after one of warm-up.
var DefaultLoad = Load{
	Connections: 16, InFlight: 16, Headers: 8, Warmup: time.Second, Duration: 5 * time.Second,
}

const (
	// maxInFlight bounds the frames that wait for their ACK on one connection.
	maxInFlight = 1 << 14
	// maxBody is in bytes. HAProxy sends one buffer at the most, 16 kB unless
	// tune.bufsize says otherwise.
	maxBody    = 1 << 20
	maxHeaders = 1000
)

func (l Load) validate() error {
	switch {
	case l.Connections < 1:
		return errors.New("a load needs at least 1 connection")
	case l.InFlight < 1 || l.InFlight > maxInFlight:
		return fmt.Errorf("frames in flight must be from 1 to %d, not %d", maxInFlight, l.InFlight)
	case !(l.Rate >= 0 && l.Rate <= 1e9):
		return fmt.Errorf("a rate must be from 0 to 1e9 requests a second, not %g", l.Rate)
	case l.Body < 0 || l.Body > maxBody:
		return fmt.Errorf("a body must be from 0 to %d bytes, not %d", maxBody, l.Body)
	case l.Headers < 1 || l.Headers > maxHeaders:
		return fmt.Errorf("header fields must be from 1 to %d, not %d", maxHeaders, l.Headers)
	case l.Warmup < 0 || l.Duration <= 0:
		return errors.New("a load needs a duration above 0 and a warm-up of 0 or more")
	}
	return nil
}

// end is the moment at which sending stops, counted from its start.
func (l Load) end() time.Duration { return l.Warmup + l.Duration }

// String describes the load in one line.
func (l Load) String() string {
	what := fmt.Sprintf("%d connections × %d in flight", l.Connections, l.InFlight)
	if l.Rate > 0 {
		what = fmt.Sprintf("%.0f requests/s over %d connections", l.Rate, l.Connections)
	}
	return fmt.Sprintf("%s, %d headers, %d bytes of body, %s after %s of warm-up",
		what, l.Headers, l.Body, l.Duration, l.Warmup)
}
