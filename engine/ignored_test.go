package engine

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What is ignored is remembered by its names, counted, and logged once.
func TestIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, sock := fakeServer(t)
		var log strings.Builder
		s.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		sock.wakeUp(greeting())
		f := func(messages [][]byte, logged int, kinds ...string) {
			t.Helper()
			log.Reset()
			time.Sleep(time.Second)
			sock.wakeUp(notify(1, messages...))
			var got []string
			for _, m := range s.Ignored() {
				got = append(got, fmt.Sprintf("%d× %s(%s), %s", m.Count, m.Name, strings.Join(m.Args, " "), time.Since(m.Last)))
			}
			if !slices.Equal(got, kinds) {
				t.Errorf("it remembers %q, want %q", got, kinds)
			}
			if lines := strings.Count(log.String(), "\n"); lines != logged || logged > 0 && !strings.Contains(log.String(), "are ignored") {
				t.Errorf("%d lines are logged, want %d: %s", lines, logged, log.String())
			}
		}
		all := func(messages ...[]byte) [][]byte { return messages }
		misspelt := mirror(arg("arg_methd", str("GET")), arg("path", str("/")))
		f(all(get("/")), 0)
		f(all(misspelt), 1, "1× mirror(arg_methd path), 0s")
		if want := `message=mirror arguments="arg_methd path"`; !strings.Contains(log.String(), want) {
			t.Errorf("the log says %q, want %q in it", log.String(), want)
		}
		f(all(get("/"), misspelt, get("/"), misspelt), 0, "3× mirror(arg_methd path), 0s")
		f(all(mirror(arg("arg_methd", str("POST")), arg("path", null))), 0, "4× mirror(arg_methd path), 0s")
		f(all(message("\x1b[2J", 0)), 1, "1× ?[2J(), 0s", "4× mirror(arg_methd path), 1s")
		// What cannot be decoded is malformed, and nothing more.
		f(all(misspelt, []byte{200}), 0, "1× ?[2J(), 1s", "4× mirror(arg_methd path), 2s")
		long := strings.Repeat("n", 300)
		f(all(message(long, 1, arg(long, null))), 1, fmt.Sprintf("1× %.64[1]s(%.64[1]s), 0s", long), "1× ?[2J(), 2s", "4× mirror(arg_methd path), 3s")
	})
}

// Nobody can make it remember without bound, or forget what still comes.
func TestIgnoredIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, sock := fakeServer(t)
		sock.wakeUp(greeting())
		for i := range 1000 {
			sock.wakeUp(notify(1, message(fmt.Sprint(i), 100, slices.Repeat([][]byte{arg("x", null)}, 100)...)))
		}
		list := s.Ignored()
		if len(list) != maxIgnored || len(list[0].Args) != maxIgnoredArgs {
			t.Fatalf("it remembers %d kinds, of %d arguments", len(list), len(list[0].Args))
		}
		if got := s.counters.ignored.Get(); got != 1000 {
			t.Errorf("%d messages are counted, want 1000", got)
		}
		has := func(name string) bool {
			return slices.ContainsFunc(s.Ignored(), func(m IgnoredMessage) bool { return m.Name == name })
		}
		time.Sleep(ignoredAge)
		sock.wakeUp(notify(1, message("3", 100, slices.Repeat([][]byte{arg("x", null)}, 100)...)))
		for i := range 100 {
			sock.wakeUp(notify(1, message(fmt.Sprint("new", i), 0)))
		}
		if !has("3") || has("4") || !has("new14") || has("new15") {
			t.Errorf("what came a minute ago gives way to what comes now, and nothing else: %v", s.Ignored())
		}
	})
}

func TestIgnoredAllocatesNothing(t *testing.T) {
	s, _, _ := fakeServer(t)
	payloads := [][]byte{mirror(arg("arg_methd", str("GET")), arg("path", str("/")))}
	s.noteIgnored(payloads)
	if n := testing.AllocsPerRun(100, func() { s.noteIgnored(payloads) }); n != 0 {
		t.Errorf("a message that is ignored again costs %v allocations", n)
	}
}
