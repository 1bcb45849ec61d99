package codec

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// vector is one line of testdata/vectors.txt: bytes captured from HAProxy (rx),
// frames that every tested HAProxy accepts (tx), and varints.
type vector struct {
	kind  string // the first word of the line
	name  string
	line  int
	bytes [][]byte
}

func loadVectors(tb testing.TB) []vector {
	tb.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var vs []vector
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		v := vector{line: i + 1}
		head, data, ok := strings.Cut(line, "\t")
		if !ok {
			head, data, ok = strings.Cut(line, " = ")
		}
		if !ok {
			tb.Fatalf("line %d holds no bytes: %q", v.line, line)
		}
		v.kind, v.name, _ = strings.Cut(head, " ")
		data, _, _ = strings.Cut(data, "(")
		for item := range strings.SplitSeq(data, "|") {
			b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(item), " ", ""))
			if err != nil {
				tb.Fatalf("line %d: %v", v.line, err)
			}
			v.bytes = append(v.bytes, b)
		}
		vs = append(vs, v)
	}
	return vs
}

// vectorsOf returns the vectors of one kind and fails if there is none, so that
// a test over them cannot pass empty.
func vectorsOf(tb testing.TB, kind string) []vector {
	tb.Helper()
	var of []vector
	for _, v := range loadVectors(tb) {
		if v.kind == kind {
			of = append(of, v)
		}
	}
	if len(of) == 0 {
		tb.Fatalf("no vector of kind %s", kind)
	}
	return of
}

// frame decodes the one frame of the vector and checks its length.
func (v vector) frame(tb testing.TB) Frame {
	tb.Helper()
	b := v.bytes[0]
	if n := int(FrameLen(b)); n != len(b)-LenSize {
		tb.Fatalf("line %d: length says %d, %d bytes follow", v.line, n, len(b)-LenSize)
	}
	f, err := ParseFrame(b[LenSize:])
	if err != nil {
		tb.Fatalf("line %d: %v", v.line, err)
	}
	return f
}
