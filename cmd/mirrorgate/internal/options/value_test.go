package options

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/fanout"
)

func TestByteSize(t *testing.T) {
	f := func(text string, want int64) {
		t.Helper()
		var s ByteSize
		if err := s.UnmarshalText([]byte(text)); err != nil || int64(s) != want {
			t.Errorf("%q is %d, %v, want %d", text, s, err, want)
		}
	}
	f("1", 1)
	f("1024B", 1024)
	f("64kB", 64_000)
	f("64MB", 64_000_000)
	f("64 MB", 64_000_000)
	f("512MiB", 512<<20)
	f("1.5GiB", 3<<29)
	f("2TB", 2_000_000_000_000)
}

func TestByteSizeRejects(t *testing.T) {
	for _, text := range []string{"", "0", "0.5", "-1", "MiB", "1PB", "1e30", "NaN", "Inf", "1 2", "99999999TiB"} {
		var s ByteSize
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d, want an error", text, s)
		}
	}
}

func TestNetwork(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var n Network
		if err := n.UnmarshalText([]byte(text)); err != nil || n.String() != want {
			t.Errorf("%q is %v, %v, want %s", text, n, err, want)
		}
	}
	f("10.0.0.0/8", "10.0.0.0/8")
	f("10.1.2.3", "10.1.2.3/32")
	f("::1", "::1/128")
}

// Targets and headers are lists that commas do not split.
func TestLists(t *testing.T) {
	var c struct {
		Target Targets `sep:"none"`
		Header Headers `sep:"none"`
	}
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{
		"--target", "a=http://a,rate=1/s", "--target", " http://b \t\n c=http://c",
		"--header", "X-A: 1, 2", "--header", "x-b:3\nX-C:\n",
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a=http://a,rate=1/s", "http://b", "c=http://c"}; !slices.Equal(c.Target, want) {
		t.Errorf("targets are %q, want %q", c.Target, want)
	}
	want := []fanout.Header{{Name: "X-A", Value: "1, 2"}, {Name: "x-b", Value: "3"}, {Name: "X-C", Value: ""}}
	if !slices.Equal(c.Header, want) {
		t.Errorf("headers are %q, want %q", c.Header, want)
	}
}
