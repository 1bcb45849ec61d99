package fanout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mirrorgate/mirrorgate/codec"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

const recordingKeys = ",max=16MiB,sync=none"

// recorded returns all records of a recording, with bytes of their own.
func recorded(t testing.TB, dir string) (all []record.Record) {
	t.Helper()
	r, err := record.NewReader(dir, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		some, err := r.Next()
		if errors.Is(err, io.EOF) {
			if torn := r.Torn(); torn != nil {
				t.Errorf("torn at %v", torn)
			}
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range some {
			one.Wire, one.Key, one.ID = bytes.Clone(one.Wire), bytes.Clone(one.Key), bytes.Clone(one.ID)
			all = append(all, one)
		}
	}
}

// wires returns the requests of a recording, as they would be sent.
func wires(t testing.TB, dir string) (all []string) {
	for _, r := range recorded(t, dir) {
		all = append(all, string(r.Wire))
	}
	return all
}

// What a recording keeps is what a server gets beside it, but for the marker.
func TestRecordIsWhatIsSent(t *testing.T) {
	dir := t.TempDir()
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	begin := time.Now()
	f := newFanout(t, func(c *Config) {
		c.SampleBy, _ = ParseSampleKey("cookie:u")
		c.SetHeaders = []Header{{Name: "x-set", Value: "1"}}
		c.DelHeaders = []string{"authorization"}
	}, "v2="+rt.url+",conns=1", "log=file://"+dir+recordingKeys)
	submitted := []codec.Request{
		request("GET", "/a?b=c", "", "host", "h", "cookie", "u=7", "authorization", "secret", "x-mirrored", "X-Mirrored-By: mirrorgate"),
		request("POST", "/p", "X-Mirrored-By: mirrorgate\r\n\r\nbody", "host", "h"),
		request("OPTIONS", "*", "", "host", "h"),
		request("GET", "/none", ""),
	}
	submitted[0].Source = netip.MustParseAddr("192.0.2.7")
	submitted[0].Production = codec.ProductionResponse{Status: 404, Timed: true, Milliseconds: 12, ID: []byte("id-1")}
	submitted[1].Source = netip.MustParseAddr("2001:db8::7")
	submitted[1].Production = codec.ProductionResponse{ID: []byte("id-2")}
	f.Submit(submitted)
	drain(t, f)
	got := recorded(t, dir)
	if len(got) != len(submitted) || len(rt.requests()) != len(submitted) {
		t.Fatalf("%d recorded, %d sent", len(got), len(rt.requests()))
	}
	for i, want := range []string{
		"GET /a?b=c HTTP/1.1\r\nhost: h\r\ncookie: u=7\r\nx-mirrored: X-Mirrored-By: mirrorgate\r\nx-set: 1\r\n\r\n",
		"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 33\r\nx-set: 1\r\n\r\nX-Mirrored-By: mirrorgate\r\n\r\nbody",
		"OPTIONS * HTTP/1.1\r\nhost: h\r\nx-set: 1\r\n\r\n",
		"GET /none HTTP/1.1\r\nx-set: 1\r\n\r\n",
	} {
		r := got[i]
		if string(r.Wire) != want {
			t.Errorf("recorded %q, want %q", r.Wire, want)
		}
		if r.When().Before(begin.Add(-time.Millisecond)) || r.When().After(time.Now().Add(time.Millisecond)) {
			t.Errorf("recorded at %v", r.When())
		}
	}
	f2 := func(i int, client, id string, status, took int, keyed bool) {
		t.Helper()
		r := got[i]
		if fmt.Sprint(r.Client) != client || string(r.ID) != id || r.Status != status || r.Took != took || (len(r.Key) == 16) != keyed {
			t.Errorf("request %d: client %v, id %q, status %d, took %d, key %q", i, r.Client, r.ID, r.Status, r.Took, r.Key)
		}
	}
	f2(0, "192.0.2.7", "id-1", 404, 12, true)
	f2(1, "2001:db8::7", "id-2", 0, -1, false)
	f2(2, "invalid IP", "", 0, -1, false)
	if got := counts(f.targets[1]); got != "selected=4 sent=4 recorded=4" {
		t.Error(got)
	}
}

func TestRecordHost(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		dir := t.TempDir()
		fan := newFanout(t, nil, "file://"+dir+recordingKeys+key)
		fan.Submit([]codec.Request{request("GET", "/", "", "host", "prod", "a", "b")})
		drain(t, fan)
		if got := wires(t, dir); len(got) != 1 || got[0] != "GET / HTTP/1.1\r\n"+want+"a: b\r\n\r\n" {
			t.Errorf("%s: recorded %q", key, got)
		}
	}
	f("", "host: prod\r\n")
	f(",host=staging.example", "host: staging.example\r\n")
	f(",host=target", "host: prod\r\n")
}

// All requests are recorded in their order, however many there are, in blocks.
func TestRecordMany(t *testing.T) {
	dir := t.TempDir()
	f := newFanout(t, nil, "file://"+dir+",max=1GiB,queue=65536")
	body := strings.Repeat("b", 400)
	const n = 20_000
	for i := 0; i < n; i += 10 {
		var batch []codec.Request
		for j := range 10 {
			batch = append(batch, request("POST", fmt.Sprintf("/%d", i+j), body, "host", "h"))
		}
		f.Submit(batch)
	}
	drain(t, f)
	got := wires(t, dir)
	if len(got) != n {
		t.Fatalf("%d recorded", len(got))
	}
	for i, w := range got {
		if !strings.HasPrefix(w, fmt.Sprintf("POST /%d HTTP/1.1\r\n", i)) {
			t.Fatalf("request %d is %.40q", i, w)
		}
	}
	if got := counts(f.targets[0]); got != "selected=20000 sent=20000 recorded=20000" {
		t.Error(got)
	}
	if held := f.memory.blocks.Load(); held < record.BlockSize || held > 4*fileBlocks*record.BlockSize {
		t.Errorf("%d bytes of blocks", held)
	}
}

// A request that nothing follows is written soon, and a reader sees it.
func TestRecordIsWrittenSoon(t *testing.T) {
	dir := t.TempDir()
	f := newFanout(t, nil, "file://"+dir+recordingKeys)
	defer drain(t, f)
	for i := range 3 {
		f.Submit(requests("GET /"))
		eventually(t, "the request to be counted", func() bool { return answered(f.targets[0]) == uint64(i+1) })
		if got := wires(t, dir); len(got) != i+1 {
			t.Errorf("%d of %d recorded", len(got), i+1)
		}
	}
}

// A folder that cannot be written costs named drops, which are told, and recording goes
// on when it can be.
func TestRecordGoesOnByItself(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "parent")
	if err := os.WriteFile(parent, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "recording")
	rt := listen(t, func(c *rawConn) { c.serve(ok) })
	f := newFanout(t, nil, "file://"+dir+recordingKeys, rt.url)
	f.Submit(requests("GET /1", "GET /2"))
	log := f.targets[0]
	eventually(t, "the drops", func() bool { return log.metrics.dropped[dropIO].Get() == 2 })
	if last := log.failures.get(); last.Kind != "io" || !strings.Contains(last.Reason, "not a directory") {
		t.Errorf("last failure %+v", last)
	}
	if err := errors.Join(os.Remove(parent), os.Mkdir(parent, 0o700)); err != nil {
		t.Fatal(err)
	}
	f.Submit(requests("GET /3"))
	eventually(t, "the record", func() bool { return answered(log) == 1 })
	drain(t, f)
	if got := wires(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "GET /3 ") {
		t.Errorf("recorded %q", got)
	}
	if got := counts(f.targets[1]); got != "selected=3 sent=3 2xx=3" {
		t.Errorf("the other target: %s", got)
	}
}

// A reload may change what is kept: nothing is lost, and nothing recorded twice.
func TestRecordReload(t *testing.T) {
	dir := t.TempDir()
	cfg := func(keys string) Config {
		return Config{Memory: 64 << 20, Targets: parseTargets(t, []string{"log=file://" + dir + keys})}
	}
	f := newFanout(t, nil, "log=file://"+dir+recordingKeys)
	for i := range 5 {
		f.Submit(requests(fmt.Sprintf("GET /%d", i)))
		if err := f.Reload(cfg(fmt.Sprintf(",max=%dMiB,sync=none", 20+i))); err != nil {
			t.Fatal(err)
		}
	}
	f.Submit(requests("GET /5"))
	drain(t, f)
	got := wires(t, dir)
	slices.Sort(got) // several targets that leave wait for the folder
	for i := range 6 {
		if len(got) != 6 || !strings.HasPrefix(got[i], fmt.Sprintf("GET /%d ", i)) {
			t.Fatalf("recorded %q", got)
		}
	}
}

// When the drain's time is over, what waits is dropped.
func TestRecordDrainEnds(t *testing.T) {
	f := newFanout(t, nil, "log=file://"+t.TempDir()+recordingKeys)
	f.targets[0].hold()
	f.Submit(requests("GET /1", "GET /2"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.Drain(ctx)
	checkSums(t, f)
	if got := counts(f.targets[0]); !strings.HasPrefix(got, "selected=2 ") {
		t.Error(got)
	}
}

func TestRecordingOptions(t *testing.T) {
	bad := func(text, want string) {
		t.Helper()
		c, err := ParseTarget(text, DefaultTarget(), 1)
		if err == nil {
			err = c.validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", text, err, want)
		}
	}
	bad("file:///d", "max is missing")
	bad("file:///d,max=1MiB", "max is 1MiB, should be at least 16MiB")
	bad("file:///d,max=many", `max is "many" should be a size`)
	bad("file://host/d,max=1GiB", "like file:///var/lib/mirrorgate/peak")
	bad("file:///,max=1GiB", "like file:///var/lib/mirrorgate/peak")
	bad("file:d,max=1GiB", "like file:///var/lib/mirrorgate/peak")
	bad("file:///d?a,max=1GiB", "like file:///var/lib/mirrorgate/peak")
	bad("file:///d,max=1GiB,age=1s", "age is 1s, should be at least a minute")
	bad("file:///d,max=1GiB,age=x", `age is "x", should be a time like 12h or 7d`)
	bad("file:///d,max=1GiB,sync=2s", `sync is "2s", should be one of 1s, none, block`)
	bad("http://h,max=1GiB", "max is for recordings")
	bad("http://h,sync=none", "sync is for recordings")
	bad("http://h,mask=a", "mask is for recordings")
	bad("file:///d,max=1GiB,mask=a+host", `mask has "host"`)
	links := func(want string, specs ...string) {
		t.Helper()
		cfg := Config{Memory: 1, Targets: parseTargets(t, specs)}
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", specs, err, want)
		}
	}
	links("a recording has no responses", "v1=http://a", "log=file:///d,max=1GiB,against=v1")
	links("a recording, which has no responses", "v1=http://a,against=log", "log=file:///d,max=1GiB")
}

// A mask hides values, also behind another Host, and what the key would tell of them.
func TestRecordMasked(t *testing.T) {
	f := func(key string) {
		t.Helper()
		dir := t.TempDir()
		fan := newFanout(t, func(c *Config) {
			c.SampleBy, _ = ParseSampleKey("cookie:u")
			c.MaskKey = [32]byte{7}
		}, "file://"+dir+recordingKeys+",mask=U+card"+key, "plain=file://"+dir+"/plain"+recordingKeys)
		fan.Submit([]codec.Request{
			request("POST", "/?card=4711", `{"card":"secret"}`, "host", "prod", "cookie", "u=secret"),
			request("GET", "/", "", "host", "prod", "cookie", "u=secret"),
		})
		drain(t, fan)
		got, plain := recorded(t, dir), recorded(t, dir+"/plain")
		if len(got) != 2 || len(plain) != 2 {
			t.Fatalf("%s: %d and %d recorded", key, len(got), len(plain))
		}
		if bytes.Contains(got[0].Wire, []byte("secret")) || bytes.Contains(got[0].Wire, []byte("4711")) || !bytes.Contains(plain[0].Wire, []byte("secret")) {
			t.Errorf("%s: recorded %q", key, got[0].Wire)
		}
		if len(got[0].Wire) != len(plain[0].Wire)+len(strings.TrimPrefix(key, ",host="))-len("prod")*min(1, len(key)) {
			t.Errorf("%s: recorded %q beside %q", key, got[0].Wire, plain[0].Wire)
		}
		if !bytes.Equal(got[0].Key, got[1].Key) || bytes.Equal(got[0].Key, plain[0].Key) || len(got[0].Key) != 16 {
			t.Errorf("%s: keys %q, %q and %q", key, got[0].Key, got[1].Key, plain[0].Key)
		}
	}
	f("")
	f(",host=staging.example")
}
