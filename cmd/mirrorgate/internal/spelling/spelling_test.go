package spelling

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"sample", "sample-by", "set-header", "drop", "arg_method", "arg_path"}
	f := func(word, want string) {
		t.Helper()
		if got := Nearest(word, known); got != want {
			t.Errorf("%q was meant to be %q, want %q", word, got, want)
		}
	}
	f("sampel", "sample")
	f("SAMPLE", "sample")
	f("samples", "sample")
	f("sample-bye", "sample-by")
	f("set_headers", "set-header")
	f("dorp", "drop")
	f("arg_methd", "arg_method")
	f("arg_pth", "arg_path")
	f("weight", "")
	f("x", "")
	f("", "")
}

func TestDistance(t *testing.T) {
	f := func(a, b string, want int) {
		t.Helper()
		if got, back := distance(a, b), distance(b, a); got != want || back != want {
			t.Errorf("from %q to %q it is %d and back %d, want %d", a, b, got, back, want)
		}
	}
	f("", "", 0)
	f("", "abc", 3)
	f("abc", "abc", 0)
	f("abc", "acb", 1)
	f("abc", "abd", 1)
	f("abc", "ab", 1)
	f("kitten", "sitting", 3)
}
