package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/internal/haproxy"
)

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out haproxy.Output // timers write too
		log := newLogger(&out, "info", "text")
		seen := 0
		count := func(what string) int { return strings.Count(out.String()[seen:], what) }

		for i := range 100 {
			log.With("target", i).Warn("cannot connect")
			log.Debug("cannot connect")
		}
		log.Info("something else")
		if count("cannot connect") != throttleLimit || count("something else") != 1 {
			t.Errorf("before the end of the window:\n%s", &out)
		}
		time.Sleep(throttleWindow)
		synctest.Wait()
		if want := fmt.Sprintf(`level=WARN msg="cannot connect" suppressed=%d`, 100-throttleLimit); count(want) != 1 {
			t.Errorf("no line has %s:\n%s", want, &out)
		}

		seen = len(out.String())
		for range 3 {
			log.Warn("cannot connect")
			time.Sleep(throttleWindow)
		}
		if count("cannot connect") != 3 || count("suppressed") != 0 {
			t.Errorf("now and then a line:\n%s", &out)
		}
	})
}

func TestLogLevelAndFormat(t *testing.T) {
	f := func(level, format, want string) {
		t.Helper()
		var out bytes.Buffer
		log := newLogger(&out, level, format)
		log.Debug("a")
		log.Info("b")
		log.Warn("c")
		log.Error("d")
		var messages string
		for line := range strings.Lines(out.String()) {
			_, after, _ := strings.Cut(line, "msg")
			messages += strings.Trim(after, "=\":} \n")
		}
		if messages != want || strings.HasPrefix(out.String(), "{") != (format == "json") {
			t.Errorf("at level %s in %s it says %q, want %s:\n%s", level, format, messages, want, &out)
		}
	}
	f("debug", "text", "abcd")
	f("info", "json", "bcd")
	f("warn", "text", "cd")
	f("error", "json", "d")
}
