package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// spopClient sends requests as HAProxy does, in one connection.
type spopClient struct {
	conn net.Conn
	sent uint64
	out  []byte
}

func (a *agent) client() *spopClient {
	a.t.Helper()
	c := &spopClient{conn: a.spopConn()}
	c.out = codec.AppendHAProxyHello(c.out, codec.Hello{MaxFrameSize: 16380, Pipelining: true})
	c.flush()
	if _, err := c.frame(); err != nil {
		a.t.Fatal(err)
	}
	return c
}

func (c *spopClient) frame() (codec.Frame, error) {
	head := make([]byte, codec.LenSize)
	if _, err := io.ReadFull(c.conn, head); err != nil {
		return codec.Frame{}, err
	}
	body := make([]byte, codec.FrameLen(head))
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return codec.Frame{}, err
	}
	return codec.ParseFrame(body)
}

// notify queues a request.
func (c *spopClient) notify(r codec.Request) {
	c.sent++
	c.out = codec.AppendNotify(c.out, c.sent, 1, r)
}

func (c *spopClient) flush() error {
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// acked waits for so many ACKs.
func (c *spopClient) acked(n int) error {
	for range n {
		if _, err := c.frame(); err != nil {
			return err
		}
	}
	return nil
}

// numbered is request i of one of ten users.
func numbered(i int) codec.Request {
	var fields []byte
	for _, f := range [][2]string{{"host", "shop.example.com"}, {"cookie", fmt.Sprintf("user=%d", i%10)}, {"accept", "*/*"}} {
		fields = codec.AppendHeader(fields, f[0], f[1])
	}
	r := codec.Request{Method: []byte("GET"), Target: fmt.Appendf(nil, "/item/%d", i), Version: []byte("1.1"), BodySize: -1}
	if i%3 == 0 {
		r.Method, r.Body = []byte("POST"), fmt.Appendf(nil, "body of %d", i)
		fields = codec.AppendHeader(fields, "content-length", fmt.Sprint(len(r.Body)))
	}
	r.Headers.Raw = codec.AppendHeadersEnd(fields)
	return r
}

// wholeText is a request as one text.
func wholeText(r recorded) string {
	return r.line + "\n" + strings.Join(r.headers, "\n") + "\n\n" + r.body
}

func texts(all []recorded) (t []string) {
	for _, r := range all {
		t = append(t, wholeText(r))
	}
	return t
}

// What one target gets is recorded beside it, and a replay sends another one the same
// requests, each once and to the byte, at any speed, in their order for each user.
func TestRecordAndReplay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "peak")
	live := startRecorder(t)
	a := startAgent(t, "--sample-by", "cookie:user", "--set-header", "X-Env: staging",
		"--target", "v1="+live.url()+",conns=1", "--target", "log=file://"+dir+",max=1GiB")
	if !strings.Contains(a.log.String(), "log keeps whole requests, with the credentials in them, in "+dir) {
		t.Errorf("nothing says that credentials are kept: %s", a.log)
	}
	const n = 1000
	c := a.client()
	for i := range n {
		c.notify(numbered(i))
		if i%50 == 49 {
			if err := errors.Join(c.flush(), c.acked(50)); err != nil {
				t.Fatal(err)
			}
		}
	}
	a.atRest(n, map[string][]string{"v1": {"v1"}, "log": {"log"}})
	if got := a.value(`mirrorgate_target_responses_total{code="recorded"}`); got != n {
		t.Errorf("%v recorded", got)
	}
	a.stop(t)
	if !strings.Contains(a.log.String(), `"responses":{"recorded":1000}`) {
		t.Errorf("the accounting lacks what was recorded: %s", a.log)
	}
	want := texts(live.all())
	slices.Sort(want)

	f := func(wantPlayed string, times int, options ...string) {
		t.Helper()
		again := startRecorder(t)
		code, out, log := mirrorgate(t, nil, append([]string{"replay", dir, "--target", "v2=" + again.url() + ",conns=1"}, options...)...)
		if code != 0 || !strings.HasPrefix(out, wantPlayed) {
			t.Fatalf("%q: exit code %d, %s%s", options, code, out, log)
		}
		got := texts(again.all())
		slices.Sort(got)
		var expected []string
		for _, text := range want {
			for range times {
				expected = append(expected, text)
			}
		}
		if !slices.Equal(got, expected) {
			t.Errorf("%q: %d requests, want %d", options, len(got), len(expected))
			for i := range min(len(got), len(expected)) {
				if got[i] != expected[i] {
					t.Errorf("the first that differs is %q, want %q", got[i], expected[i])
					break
				}
			}
		}
		lastOf := map[string]int{}
		for _, r := range again.all() {
			i := 0
			fmt.Sscanf(r.line[strings.Index(r.line, "/"):], "/item/%d", &i)
			user := r.header("cookie")
			if times == 1 && i < lastOf[user] {
				t.Errorf("%q: request %d of %s comes behind %d", options, i, user, lastOf[user])
			}
			lastOf[user] = i
		}
	}
	f("replayed 1000 requests in ", 1, "--speed", "max", "--queue", "64")
	f("replayed 1000 requests in ", 1, "--speed", "20x")
	f("replayed 3000 requests in ", 3, "--speed", "max", "--times", "3")

	bad := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, _, stderr := mirrorgate(t, nil, append([]string{"replay"}, args...)...)
		if code != wantCode || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d and %s, want %d and %s", args, code, stderr, wantCode, want)
		}
	}
	bad(exitUsage, "--speed is \"2\", should be like 1x", dir, "--target", live.url(), "--speed", "2")
	bad(exitUsage, "--target is missing", dir)
	bad(exitUsage, "--to: ", dir, "--target", live.url(), "--from", "11:00", "--to", "10:00")
	bad(exitUsage, "--times is 0", dir, "--target", live.url(), "--times", "0")
	bad(exitFailed, "no such file", dir+"x", "--target", live.url())
	bad(exitFailed, "no request in the recording at that time", dir, "--target", live.url(), "--to", "2020-01-01")
}

// killedRounds is how often a test kills mirrorgate; more with MIRRORGATE_LONG.
func killedRounds() int {
	if os.Getenv("MIRRORGATE_LONG") != "" {
		return 50
	}
	return 4
}

// kill -9 at any moment loses nothing that was counted as sent, and gives no reader
// anything else than what was recorded; the next start goes on.
func TestRecordingIsKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "peak")
	var want []int // numbers that are in the recording for certain
	next := 0
	for round := range killedRounds() {
		a := startAgent(t, "--target", "log=file://"+dir+",max=1GiB")
		if torn := strings.Contains(a.log.String(), "torn end"); torn {
			t.Logf("round %d: the end was torn", round)
		}
		c := a.client()
		stop, stopped := make(chan struct{}), make(chan struct{})
		begun := next
		go func() {
			defer close(stopped)
			for {
				for range 20 {
					c.notify(numbered(next))
					next++
				}
				if errors.Join(c.flush(), c.acked(20)) != nil {
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		eventually(t, "some requests are recorded", func() bool { return a.value(`mirrorgate_target_responses_total{code="recorded"}`) > 0 })
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond) // any moment
		counted := int(a.value(`mirrorgate_target_responses_total{code="recorded"}`))
		_ = a.process.Process.Signal(syscall.SIGKILL)
		<-a.exited
		close(stop)
		<-stopped
		got := numbersIn(t, dir)
		if !slices.Equal(got[:min(len(got), len(want))], want) {
			t.Fatalf("round %d: what earlier rounds recorded is not there any more", round)
		}
		got = got[len(want):]
		for i, n := range got {
			if n != begun+i {
				t.Fatalf("round %d: record %d is request %d, want %d", round, i, n, begun+i)
			}
		}
		if len(got) < counted {
			t.Fatalf("round %d: %d requests were counted as recorded, %d are there", round, counted, len(got))
		}
		want = append(want, got...)
	}
}

// numbersIn returns the numbers of the requests in a recording.
func numbersIn(t *testing.T, dir string) []int {
	t.Helper()
	r, err := record.NewReader(dir, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return numbersOf(t, r)
}

// numbersOf reads to the end.
func numbersOf(t *testing.T, source interface {
	Next() ([]record.Record, error)
}) (all []int) {
	t.Helper()
	for {
		records, err := source.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range records {
			n := -1
			_, target, _ := strings.Cut(string(one.Wire), " ")
			if _, err := fmt.Sscanf(target, "/item/%d HTTP/1.1", &n); err != nil {
				t.Fatalf("recorded %q", one.Wire)
			}
			all = append(all, n)
		}
	}
}

// What is in a recording is shown, and where it is torn.
func TestLogCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "peak")
	w, _, err := record.Open(record.Config{Dir: dir, Max: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	var b record.Block
	for i := range 3 {
		wire := fmt.Appendf(nil, "GET /item/%d?token=secret HTTP/1.1\r\nhost: h\r\n\r\n", i)
		b.Add(&record.Record{Time: time.Now().UnixNano(), Status: 200 + 300*(i%2), Took: i, Wire: wire})
	}
	if err := w.Write(b.AppendTo(nil, 0), 3); err != nil {
		t.Fatal(err)
	}
	f := func(wantCode int, want string, args ...string) {
		t.Helper()
		code, out, stderr := mirrorgate(t, nil, append([]string{"log"}, args...)...)
		if code != wantCode || !strings.Contains(out+stderr, want) || strings.Contains(out, "secret") != slices.Contains(args, "--unmask") {
			t.Errorf("log %q: exit code %d and %s%s, want %d and %s", args, code, out, stderr, wantCode, want)
		}
	}
	f(0, "written   just now", "stat", dir)
	w.Close()
	f(0, "status    2xx 2, 5xx 1\n", "stat", dir)
	f(0, "GET /item/1?token=masked:", "ls", dir, "--status", "5xx")
	f(0, "GET /item/1?token=secret", "ls", dir, "--unmask")
	f(0, "GET /item/2?token=masked:", "cat", dir)
	f(0, "'http://h/item/0?token=secret' -H 'host: h'\n", "export", dir, "--format", "curl", "--unmask")
	f(0, `"version":"1.2"`, "export", dir, "--format", "har")
	f(0, "requests  0,", "stat", dir, "--to", "2020-01-01")
	f(exitUsage, `--status "6"`, "ls", dir, "--status", "6")
	f(exitUsage, "--format", "export", dir)
	f(exitFailed, "no such file", "ls", dir+"x")

	name := filepath.Join(dir, "00000000000000000000.log")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(b.AppendTo(nil, 3)[:50]); err != nil {
		t.Fatal(err)
	}
	torn := fmt.Sprintf("torn: 00000000000000000000.log at byte %d, 50 bytes there cannot be read", info.Size())
	f(exitFailed, torn, "stat", dir)
	f(0, torn, "ls", dir)
}

// A replay to an old and a new version ends with the verdict.
func TestReplayVerdict(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "peak")
	w, _, err := record.Open(record.Config{Dir: dir, Max: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	var b record.Block
	for i := range 500 {
		b.Add(&record.Record{Time: time.Now().UnixNano(), Took: -1, Wire: fmt.Appendf(nil, "GET /item/%d HTTP/1.1\r\nhost: h\r\n\r\n", i)})
	}
	if err := errors.Join(w.Write(b.AppendTo(nil, 0), 500), w.Close()); err != nil {
		t.Fatal(err)
	}
	same, alike := startRecorder(t), startRecorder(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	defer broken.Close()
	f := func(wantCode int, want, target string, options ...string) {
		t.Helper()
		args := append([]string{"replay", dir, "--speed", "max", "--target", "v1=" + same.url(), "--target", "v2=" + target + ",against=v1"}, options...)
		code, out, log := mirrorgate(t, nil, args...)
		if code != wantCode || !strings.Contains(strings.ToLower(out), want) {
			t.Errorf("%q: exit code %d and %s, want %d and %q; %s", options, code, out, wantCode, want, log)
		}
	}
	f(0, "alike", alike.url(), "--times", "4", "--tolerance", "1%")
	f(1, "differ", broken.URL)
	f(3, "not yet", alike.url(), "--tolerance", "0.01%")
}
