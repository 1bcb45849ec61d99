package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// longProcessing is what no request should wait for an agent that has died.
const longProcessing = 100 * time.Millisecond

// agent checks a spoe-agent section, but not its messages.
func (x *examination) agent(u use) {
	a := u.engine.agent
	x.processing(a)
	for _, l := range a.lines {
		switch {
		case l.is("option", "async"):
			x.bite(l, "mirrorgate does not do async, and with agents that do, requests hang when a connection breaks", "remove the line")
		case l.is("no", "option", "pipelining"):
			x.bite(l, "each request under way needs a connection of its own", "remove the line")
		case l.is("max-frame-size"):
			x.maxFrameSize(a, l)
		}
	}
	if log := a.own("log"); log != nil && a.option("dontlog-normal") == nil {
		x.bite(log, "HAProxy logs a line for each request that is mirrored", "add option dontlog-normal")
	}
}

func (x *examination) processing(a *section) {
	l := a.own("timeout", "processing")
	if l == nil {
		x.bite(a.head, "there is no timeout processing: while an agent hangs, requests wait for it without end", "add timeout processing 20ms")
		return
	}
	if d, ok := parseTime(l.word(2)); ok && d > longProcessing {
		x.bite(l, fmt.Sprintf("requests wait %s for an agent that has died, until HAProxy has noticed", l.word(2)), "20ms is plenty: timeout processing 20ms")
	}
}

// maxFrameSize checks a limit that is not needed: by default a frame holds what
// HAProxy's buffer does.
func (x *examination) maxFrameSize(a *section, l *line) {
	n, err := strconv.ParseInt(l.word(1), 10, 64)
	if whole := x.tune("tune.bufsize", defaultBufsize) - frameLength; err == nil && n < whole {
		what := fmt.Sprintf("requests of more than %d bytes do not fit into a frame: HAProxy 3.1 and later do not send them, earlier ones cut them into fragments", n)
		if a.own("no", "option", "send-frag-payload") != nil {
			what = fmt.Sprintf("requests of more than %d bytes do not fit into a frame and are not sent", n)
		}
		x.bite(l, what, fmt.Sprintf("remove the line: the default is %d", whole))
	}
}

// parseTime reads HAProxy's way to write times: milliseconds without a unit.
func parseTime(text string) (time.Duration, bool) {
	number := strings.TrimRight(text, "usmhd")
	n, err := strconv.ParseInt(number, 10, 64)
	units := map[string]time.Duration{
		"us": time.Microsecond, "": time.Millisecond, "ms": time.Millisecond, "s": time.Second,
		"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	unit, known := units[text[len(number):]]
	return time.Duration(n) * unit, err == nil && known
}
