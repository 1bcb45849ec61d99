package wire

import (
	"bytes"
	"testing"
)

// Every byte in every place of texts shorter and longer than the eight bytes
// that are looked at together.
func TestGuardsSeeEveryByte(t *testing.T) {
	f := func(what string, valid func([]byte) bool, allowed func(c byte) bool) {
		t.Helper()
		for _, fill := range []byte{'a', '!', '~', 0x80, 0xff} {
			for size := 1; size <= 25; size++ {
				for at := range size {
					for c := range 256 {
						b := bytes.Repeat([]byte{fill}, size)
						b[at] = byte(c)
						if got := valid(b); got != allowed(byte(c)) {
							t.Fatalf("%s %q: valid is %v", what, b, got)
						}
					}
				}
			}
		}
	}
	f("value", ValidValue, func(c byte) bool { return c == '\t' || c >= ' ' && c != 0x7f })
	f("path", ValidPath, func(c byte) bool { return c > ' ' && c != 0x7f })
}

func TestValidName(t *testing.T) {
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 256 {
		if got, want := ValidName([]byte{'a', byte(c)}), bytes.IndexByte([]byte(token), byte(c)) >= 0; got != want {
			t.Errorf("a name with %q: valid is %v", rune(c), got)
		}
	}
	if ValidName(nil) {
		t.Error("an empty name is valid")
	}
}

func TestValidHost(t *testing.T) {
	f := func(host string, want bool) {
		t.Helper()
		if got := ValidHost([]byte(host)); got != want {
			t.Errorf("host %q: valid is %v", host, got)
		}
	}
	f("", true)
	f("h", true)
	f("shop.example.com:8080", true)
	f("[::1]:80", true)
	f("a_b-c~d%20", true)
	for _, c := range " \t\r\n\x00/?#@\"<>\\^`{|}\x7f\u00e9" {
		f("a"+string(c)+"b", false)
	}
}
