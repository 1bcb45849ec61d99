package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output keeps what was written since it was last looked at.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns what was written since the last call.
func (o *output) String() string {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.text.Reset()
	return o.text.String()
}

func nothing(*slog.Logger) {}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out output
		l := New(&out, "info", "text", metrics.NewSet())
		defer l.Finish(time.Second, nothing)
		log := l.Logger()
		f := func(text string, want map[string]int) {
			t.Helper()
			for what, n := range want {
				if got := strings.Count(text, what); got != n {
					t.Errorf("%q is there %d times, want %d:\n%s", what, got, n, text)
				}
			}
		}
		for range 100 {
			log.With("target", "a").Warn("cannot connect")
			log.Warn("cannot connect", "target", "b")
			log.Warn("cannot connect")
			log.Debug("cannot connect")
		}
		log.Info("something else")
		f(out.String(), map[string]int{"cannot connect": 3 * throttleLimit, "target=a": throttleLimit, "target=b": throttleLimit, "something else": 1})
		time.Sleep(throttleWindow)
		suppressed := fmt.Sprintf("suppressed=%d\n", 100-throttleLimit)
		f(out.String(), map[string]int{
			`level=WARN msg="cannot connect" ` + suppressed:          1,
			`level=WARN msg="cannot connect" target=a ` + suppressed: 1,
			`level=WARN msg="cannot connect" target=b ` + suppressed: 1,
		})
		for range 3 { // now and then a line
			log.Warn("cannot connect")
			time.Sleep(throttleWindow)
		}
		f(out.String(), map[string]int{"cannot connect": 3, "suppressed": 0})
	})
}

func (t *throttle) kinds() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.windows)
}

// However many kinds of lines there are, the throttle holds a limited number.
func TestThrottleKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(io.Discard, "info", "text", metrics.NewSet())
		defer l.Finish(time.Second, nothing)
		for i := range 2 * throttleKinds {
			l.Logger().Info(fmt.Sprint(i))
		}
		if n := l.throttle.kinds(); n > throttleKinds+1 {
			t.Errorf("it holds %d kinds", n)
		}
		time.Sleep(throttleWindow)
		l.Logger().Info("later")
		synctest.Wait()
		if n := l.throttle.kinds(); n != 1 {
			t.Errorf("it holds %d kinds after all windows have ended", n)
		}
	})
}

func TestLevelAndFormat(t *testing.T) {
	f := func(level, format, want string) {
		t.Helper()
		var out bytes.Buffer
		l := New(&out, level, format, metrics.NewSet())
		log := l.Logger()
		log.Debug("a")
		log.Info("b")
		log.Warn("c")
		log.Error("d")
		l.Finish(time.Minute, nothing)
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

// A line has the attributes and groups of whoever logs.
func TestAttributes(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, "info", "text", metrics.NewSet())
	l.Logger().With("a", 1).WithGroup("g").With("b", 2).Info("hello", "c", 3)
	l.Finish(time.Minute, nothing)
	if !strings.HasSuffix(out.String(), " level=INFO msg=hello a=1 g.b=2 g.c=3\n") {
		t.Errorf("it says %s", &out)
	}
}

// A log that nobody reads holds nobody up. What finds no room is counted and,
// once the log is read again, told where it is missing; the last lines are there.
func TestStuckLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe() // holds nothing
		set := metrics.NewSet()
		l := New(w, "info", "text", set)
		l.Logger().Info("first")
		synctest.Wait() // it is being written
		const (
			lost = 5000
			last = 2 * queueLimit
		)
		for i := range queueLimit + lost {
			l.Unthrottled().Info("line", "n", i)
		}
		start := time.Now()
		l.Finish(time.Second, func(log *slog.Logger) {
			for i := range last {
				log.Info("last", "n", i)
			}
		})
		if took := time.Since(start); took != time.Second {
			t.Errorf("the end took %v", took)
		}
		go func() {
			<-l.written
			w.Close()
		}()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if n := set.GetOrCreateCounter("mirrorgate_log_lost_total").Get(); n != lost {
			t.Errorf("%d lines are counted as lost, want %d", n, lost)
		}
		want := new(strings.Builder)
		fmt.Fprintln(want, "level=INFO msg=first")
		for i := range queueLimit {
			fmt.Fprintf(want, "level=INFO msg=line n=%d\n", i)
		}
		fmt.Fprintf(want, "level=WARN msg=\"%d log lines lost: the log was not read\"\n", lost)
		for i := range last {
			fmt.Fprintf(want, "level=INFO msg=last n=%d\n", i)
		}
		if got := timeOfLine.ReplaceAllString(string(text), ""); got != want.String() {
			t.Errorf("it says\n%s", got)
		}
	})
}

var timeOfLine = regexp.MustCompile(`(?m)^time=\S+ `)

// Whoever logs after the end is not held up either.
func TestFinished(t *testing.T) {
	var out bytes.Buffer
	set := metrics.NewSet()
	l := New(&out, "info", "text", set)
	l.Finish(time.Minute, nothing)
	l.Logger().Info("too late")
	if n := set.GetOrCreateCounter("mirrorgate_log_lost_total").Get(); n != 1 || out.Len() > 0 {
		t.Errorf("%d lines are lost, and it says %s", n, &out)
	}
}

// What the throttle kept back is told before the end.
func TestFinishReportsSuppressed(t *testing.T) {
	var out bytes.Buffer
	l := New(&out, "info", "json", metrics.NewSet())
	for range throttleLimit + 5 {
		l.Logger().Info("again", "target", "a")
	}
	l.Finish(time.Minute, func(last *slog.Logger) {
		for range 2 * throttleLimit {
			last.Info("last")
		}
	})
	if text := out.String(); strings.Count(text, `"again"`) != throttleLimit+1 || strings.Count(text, `"msg":"again","target":"a","suppressed":5}`) != 1 || strings.Count(text, `"last"`) != 2*throttleLimit {
		t.Errorf("it says\n%s", text)
	}
}
