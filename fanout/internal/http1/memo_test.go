package http1

import (
	"strings"
	"testing"
)

// readWith reads the response that b starts with, with a memo.
func readWith(m *Memo, b string, head bool) result {
	var r Reader
	r.Start(head)
	n, err := r.ReadWith(m, []byte(b))
	return r.result(n, err)
}

func TestMemo(t *testing.T) {
	var m Memo
	f := func(text string, head, came bool) {
		t.Helper()
		if got, want := readWith(&m, text, head), read(text, head); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
		if m.came != came {
			t.Errorf("%q: the head was known: %v, want %v", text, m.came, came)
		}
	}
	const a, b = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
	f(a+"ok", false, false)
	f(a+"ok", false, true)
	f(a, false, true)
	f(a+"no"+a, false, true)
	f(a[:20], false, true) // not all of it is there
	f(a+"ok", true, true)  // to HEAD: without a body
	f("HTTP/1.1 000\r\n", false, true)
	f(b, false, false)
	f(b, false, true)
	f(b+a, false, true)
	f(strings.Replace(a, "2", "3", 1)+"yes", false, false)
	f(strings.Replace(a, "2", "3", 1), false, true)
	f(strings.Replace(a, "OK", strings.Repeat("x", maxMemo), 1), false, false)
	if len(m.head) > 0 {
		t.Errorf("a head of %d bytes was kept", len(m.head))
	}

	// A head that was kept for nothing ends the keeping for a while.
	f(a, false, false)
	f(b, false, false)
	for range pause {
		f(b, false, false)
	}
	f(b, false, true)
}

func TestMemoFromTheMiddle(t *testing.T) {
	const text = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"
	for i := range len(text) + 1 {
		var r Reader
		var m Memo
		n, err := r.ReadWith(&m, []byte(text[:i]))
		if err != nil {
			t.Fatal(err)
		}
		// What follows looks like a head that is known.
		readWith(&m, text, false)
		k, err := r.ReadWith(&m, []byte(text[n:]+text))
		if got, want := r.result(n+k, err), read(text+text, false); got != want {
			t.Fatalf("cut at %d: %+v, want %+v", i, got, want)
		}
	}
}

// FuzzMemo checks that a memo never changes what is read.
func FuzzMemo(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 404 \r\n\r\n", true)
	f.Add("HTTP/1.1 100 \r\n\r\n", "HTTP/1.1 100 \r\n\r\nHTTP/1.0 200 \r\n\r\n", "", false)
	f.Fuzz(func(t *testing.T, a, b, c string, head bool) {
		var m Memo
		for _, text := range []string{a, a, b, a, c, c, b, a} {
			h := head && text == b
			if got, want := readWith(&m, text, h), read(text, h); got != want {
				t.Errorf("%q: %+v, want %+v", text, got, want)
			}
		}
	})
}

func TestMemoAllocates(t *testing.T) {
	var m Memo
	texts := [][]byte{[]byte(responses["small"]), []byte(responses["small"]), []byte(responses["12 fields"])}
	m.head = make([]byte, 0, maxMemo) // as it soon is
	allocated := testing.AllocsPerRun(100, func() {
		for _, text := range texts {
			var r Reader
			if _, err := r.ReadWith(&m, text); err != nil || !r.Done() {
				t.Error(err)
			}
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// BenchmarkMemo reads responses of which each has the head of the last one, and
// such that each have another.
func BenchmarkMemo(b *testing.B) {
	f := func(name, response string, same bool) {
		b.Run(name, func(b *testing.B) {
			text := []byte(response)
			second := strings.Index(response, "GMT") - 2
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var r Reader
			var m Memo
			for b.Loop() {
				if !same {
					text[second] ^= 1
				}
				r.Start(false)
				if n, err := r.ReadWith(&m, text); n != len(text) || err != nil || !r.Done() {
					b.Fatal(n, err)
				}
			}
		})
	}
	for _, name := range []string{"small", "12 fields"} {
		f(name+"/the same head", responses[name], true)
		f(name+"/another head", responses[name], false)
	}
}
