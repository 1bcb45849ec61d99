package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const second = int64(time.Second)

// request is record i, which arrives a second after the one before.
func request(i int) Record {
	r := Record{
		Time: 1_790_000_000*second + int64(i)*second + 123_456_000, Took: -1,
		Wire: fmt.Appendf(nil, "POST /item/%d?q=%d HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 10\r\n", i, i*7), Tail: []byte("\r\n0123456789"),
	}
	switch i % 3 {
	case 1:
		r.Key, r.Client = []byte("00c0ffee00c0ffee"), netip.MustParseAddr("2001:db8::1")
	case 2:
		r.ID, r.Status, r.Took = []byte("7F000001:1"), 404, i
	}
	return r
}

// whole is the record as it is read.
func whole(r Record) Record {
	r.Wire, r.Tail = append(slices.Clone(r.Wire), r.Tail...), nil
	return r
}

func requests(from, to int) (rs []Record) {
	for i := from; i < to; i++ {
		rs = append(rs, request(i))
	}
	return rs
}

func blockOf(rs []Record) *Block {
	var b Block
	for i := range rs {
		b.Add(&rs[i])
	}
	return &b
}

// blockEnds returns where the blocks of a segment end.
func blockEnds(t *testing.T, segment []byte) (ends []int) {
	t.Helper()
	for b := (blocks{file: bytes.NewReader(segment), end: int64(len(segment))}); b.at < b.end; {
		h, err := b.head()
		if err != nil {
			t.Fatal(err)
		}
		b.skip(&h)
		ends = append(ends, int(b.at))
	}
	return ends
}

func write(t *testing.T, w *Writer, rs []Record) {
	t.Helper()
	b := blockOf(rs)
	if err := w.Write(b.AppendTo(nil, 0), b.Count()); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, cfg Config) *Writer {
	t.Helper()
	if cfg.Max == 0 {
		cfg.Max = 1 << 30
	}
	w, _, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// readAll returns everything from from to to.
func readAll(t *testing.T, dir string, from, to time.Time) (rs []Record, torn []Tear) {
	t.Helper()
	r, err := NewReader(dir, from, to)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		some, err := r.Next()
		if errors.Is(err, io.EOF) {
			if read, all := r.Progress(); read != all {
				t.Errorf("at the end %d of %d bytes are read", read, all)
			}
			return rs, r.Torn()
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range some {
			one.Wire, one.Key, one.ID = bytes.Clone(one.Wire), bytes.Clone(one.Key), bytes.Clone(one.ID)
			rs = append(rs, one)
		}
	}
}

func same(t *testing.T, what string, got, want []Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d records, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if w := whole(want[i]); !reflect.DeepEqual(got[i], w) {
			t.Errorf("%s: record %d is %+v, want %+v", what, i, got[i], w)
			return
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, sync := range []Sync{SyncSecond, SyncNone, SyncBlock} {
		dir := filepath.Join(t.TempDir(), "new")
		w := open(t, Config{Dir: dir, Sync: sync, Segment: 2000})
		for i := range 10 {
			write(t, w, requests(10*i, 10*i+10))
		}
		if got, _ := readAll(t, dir, time.Time{}, time.Time{}); len(got) != 100 {
			t.Errorf("%d records while it is written, want 100", len(got))
		}
		if err := errors.Join(w.Failed(), w.Close()); err != nil {
			t.Error(err)
		}
		// A restart goes on behind it.
		w = open(t, Config{Dir: dir, Sync: sync, Segment: 2000})
		write(t, w, requests(100, 110))
		w.Close()
		got, torn := readAll(t, dir, time.Time{}, time.Time{})
		same(t, "all", got, requests(0, 110))
		if len(torn) > 0 {
			t.Errorf("torn at %v", torn)
		}
		segments, _ := listSegments(dir)
		if len(segments) < 4 || segments[len(segments)-1].base != 100 {
			t.Errorf("segments %v", segments)
		}
		f := func(from, to int) {
			t.Helper()
			got, _ := readAll(t, dir, when(from), when(to))
			same(t, fmt.Sprintf("from %d to %d", from, to), got, requests(from, to))
		}
		f(0, 1)
		f(5, 15)
		f(42, 97)
		f(99, 110)
		for _, name := range []string{dir, filepath.Join(dir, segments[0].name()), filepath.Join(dir, "lock")} {
			if info, _ := os.Stat(name); info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %v", name, info.Mode())
			}
		}
	}
}

// A recording that ends at any byte is read up to the last whole block, the end is
// told, and cut by the next Writer.
func TestTornAtAnyByte(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir})
	for i := range 3 {
		write(t, w, requests(2*i, 2*i+2))
	}
	w.Close()
	name := filepath.Join(dir, segment{}.name())
	full, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ends := blockEnds(t, full)
	for n := range len(full) + 1 {
		if err := os.WriteFile(name, full[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		sound, end := 0, 0
		for _, e := range ends {
			if e <= n {
				sound, end = sound+2, e
			}
		}
		got, torn := readAll(t, dir, time.Time{}, time.Time{})
		same(t, fmt.Sprintf("cut at %d", n), got, requests(0, sound))
		if want := []Tear{{filepath.Base(name), int64(end), int64(n - end)}}; n > end && !slices.Equal(torn, want) || n == end && torn != nil {
			t.Errorf("cut at %d: torn at %v, want %v", n, torn, want)
		}
		w, cut, err := Open(Config{Dir: dir, Max: 1 << 30, Sync: SyncNone})
		if err != nil || cut != int64(n-end) {
			t.Fatalf("cut at %d: %d bytes cut, want %d, %v", n, cut, n-end, err)
		}
		write(t, w, requests(sound, sound+1))
		w.Close()
		got, torn = readAll(t, dir, time.Time{}, time.Time{})
		same(t, fmt.Sprintf("continued at %d", n), got, requests(0, sound+1))
		if torn != nil {
			t.Errorf("continued at %d: torn at %v", n, torn)
		}
		os.Remove(filepath.Join(dir, segment{base: int64(sound)}.name()))
	}
}

// A byte that changed costs its block at most, and never gives a wrong record.
func TestCorruptByte(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir})
	for i := range 3 {
		write(t, w, requests(2*i, 2*i+2))
	}
	w.Close()
	name := filepath.Join(dir, segment{}.name())
	full, _ := os.ReadFile(name)
	whole, _ := readAll(t, dir, time.Time{}, time.Time{})
	ends := append([]int{0}, blockEnds(t, full)...)
	for at := range full {
		spoilt := bytes.Clone(full)
		spoilt[at] ^= 0x10
		if err := os.WriteFile(name, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		got, torn := readAll(t, dir, time.Time{}, time.Time{})
		for _, r := range got {
			if !slices.ContainsFunc(whole, func(w Record) bool { return reflect.DeepEqual(r, w) }) {
				t.Fatalf("byte %d: a record that was never written: %+v", at, r)
			}
		}
		inHead := slices.ContainsFunc(ends, func(e int) bool { return e <= at && at < e+headSize })
		if lost := len(whole) - len(got); lost > 0 && len(torn) == 0 || !inHead && lost != 2 {
			t.Errorf("byte %d: %d records lost, torn at %v", at, lost, torn)
		}
	}
}

func TestRing(t *testing.T) {
	dir := t.TempDir()
	noise := make([]byte, 1000)
	one := func(i int) Record {
		r := request(i)
		for j := range noise { // what snappy cannot compress
			noise[j] = byte((i+1)*(j+7)*2654435761>>7 ^ j*i*40503>>3)
		}
		r.Tail = append([]byte("\r\n"), noise...)
		return r
	}
	w := open(t, Config{Dir: dir, Max: 20_000, Segment: 3000, Sync: SyncNone})
	for i := range 100 {
		write(t, w, []Record{one(i)})
		if n := folderSize(t, dir); n > 20_000 || n != w.Size() {
			t.Fatalf("behind record %d: %d bytes, of which the Writer knows %d", i, n, w.Size())
		}
	}
	got, _ := readAll(t, dir, time.Time{}, time.Time{})
	if len(got) < 8 {
		t.Fatalf("%d records are left", len(got))
	}
	var want []Record
	for i := 100 - len(got); i < 100; i++ {
		want = append(want, one(i))
	}
	same(t, "the newest", got, want)
	big := blockOf([]Record{{Wire: bytes.Repeat([]byte("x"), 1000), Took: -1}}).AppendTo(make([]byte, 0, 1<<20), 0)
	if err := w.Write(append(big, make([]byte, 30_000)...), 1); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a block larger than the ring: %v", err)
	}
	w.Close()
}

func folderSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	segments, err := listSegments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range segments {
		n += s.size
	}
	return n
}

// What is too old goes, also where nothing new comes; and a segment does not go on for
// so long that its first record could not.
func TestRingAge(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir, Age: time.Hour})
	defer w.Close()
	f := func(what string, after time.Duration, want int) {
		t.Helper()
		if err := w.Tend(time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
		if segments, _ := listSegments(dir); len(segments) != want {
			t.Errorf("%s: %d segments, want %d", what, len(segments), want)
		}
	}
	write(t, w, requests(0, 1))
	f("at once", 0, 1)
	write(t, w, requests(1, 2))
	f("the same segment", 7*time.Minute, 1)
	f("it ends", 8*time.Minute, 1)
	write(t, w, requests(2, 3))
	f("a new one", 8*time.Minute-time.Second, 2)
	f("nearly", time.Hour-time.Minute, 2)
	f("too old", time.Hour+time.Minute, 0)
	if w.Size() != 0 {
		t.Errorf("%d bytes", w.Size())
	}
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir})
	if _, _, err := Open(Config{Dir: dir, Max: 1 << 30}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second Writer: %v", err)
	}
	if !isWritten(dir) {
		t.Error("nobody writes")
	}
	w.Close()
	if isWritten(dir) {
		t.Error("somebody writes")
	}
	open(t, Config{Dir: dir}).Close()
}

// What is being written is no torn end.
func TestReadInTheMiddleOfABlock(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir})
	write(t, w, requests(0, 4))
	w.file.Write(blockOf(requests(4, 8)).AppendTo(nil, 4)[:100])
	got, torn := readAll(t, dir, time.Time{}, time.Time{})
	same(t, "before it", got, requests(0, 4))
	if torn != nil {
		t.Errorf("torn at %v", torn)
	}
	w.Close()
	if _, torn = readAll(t, dir, time.Time{}, time.Time{}); len(torn) != 1 || torn[0].Lost != 100 {
		t.Errorf("torn at %v", torn)
	}
}

func TestRemovedWhileWritten(t *testing.T) {
	f := func(what string, spoil func(dir string) error) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "r")
		w := open(t, Config{Dir: dir})
		write(t, w, requests(0, 1))
		if err := w.Tend(time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := spoil(dir); err != nil {
			t.Fatal(err)
		}
		if err := w.Tend(time.Now()); !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", what, err)
		}
		w.Close()
	}
	f("removed", os.RemoveAll)
	f("moved", func(dir string) error { return os.Rename(dir, dir+".old") })
	f("replaced", func(dir string) error {
		os.Rename(dir, dir+".old")
		open(t, Config{Dir: dir}).Close()
		return os.WriteFile(filepath.Join(dir, segment{}.name()), nil, 0o600)
	})
}

func TestRewind(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Config{Dir: dir})
	defer w.Close()
	write(t, w, requests(0, 4))
	r, err := NewReader(dir, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	write(t, w, requests(4, 8)) // came later
	for range 3 {
		some, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "what there was", some, requests(0, 4))
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
		r.Rewind()
	}
}

func TestNoRecording(t *testing.T) {
	if _, err := NewReader(t.TempDir(), time.Time{}, time.Time{}); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Error(err)
	}
	if _, err := NewReader(filepath.Join(t.TempDir(), "no"), time.Time{}, time.Time{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(blockOf(requests(0, 5)).AppendTo(nil, 7)[headSize:], true)
	f.Add(blockOf(requests(0, 5)).records, false)
	f.Fuzz(func(t *testing.T, body []byte, compressed bool) {
		b := Block{records: body, count: 1, baseTime: 1, newest: 2}
		raw := b.AppendTo(nil, 3)
		if compressed { // body is what was compressed, or pretends to be
			raw = append(raw[:headSize], body...)
		}
		for count := range 6 {
			h := Head{Count: count, Size: len(raw), compression: compressionSnappy}
			rs, _, err := h.parseRecords(nil, nil, raw)
			if err != nil {
				continue
			}
			var again Block
			for i := range rs {
				again.Add(&rs[i])
			}
			if again.count != count {
				t.Fatal("records got lost")
			}
		}
		parseHead(body)
		b2 := blocks{file: bytes.NewReader(body), end: int64(len(body))}
		for {
			h, err := b2.head()
			if err != nil {
				break
			}
			b2.read(&h)
		}
	})
}

func TestAddAllocatesNothing(t *testing.T) {
	var b Block
	r := request(1)
	b.Add(&r)
	var out []byte
	n := testing.AllocsPerRun(100, func() {
		b.Reset()
		for range 50 {
			b.Add(&r)
		}
		out = b.AppendTo(out[:0], 0)
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkBlock is the cost of a request of 444 bytes up to write(2).
func BenchmarkBlock(b *testing.B) {
	var block Block
	var out []byte
	i := 0
	head := strings.Repeat("x-header-name: some value that is different\r\n", 9)
	wires := make([]Record, 64)
	for i := range wires {
		wires[i] = Record{Time: int64(i) * 20_000, Took: -1, Wire: fmt.Appendf(nil, "GET /catalogue/items/%d?page=%d&sort=price HTTP/1.1\r\ncookie: session=%x\r\n%s", i*7919, i, i*i*2654435761, head)}
		wires[i].Wire, wires[i].Tail = wires[i].Wire[:442], []byte("\r\n")
	}
	b.SetBytes(444)
	b.ReportAllocs()
	for b.Loop() {
		block.Add(&wires[i%64])
		i++
		if block.Size() >= BlockSize {
			out = block.AppendTo(out[:0], 0)
			block.Reset()
		}
	}
}

func when(i int) time.Time { return time.Unix(0, request(i).Time) }
