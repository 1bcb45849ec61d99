package options

import (
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/fanout"
)

func TestDuration(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var d Duration
		err := d.UnmarshalText([]byte(text))
		if got := errorText(err); got != want {
			t.Errorf("%q is %v: %s, want %s", text, d, got, want)
		}
	}
	f("1ms", "")
	f("24h", "")
	f("24h1ns", `"24h1ns" should be a time of a day (24h) at most`)
	f("0s", `"0s" should be a time above 0, like 500ms or 5s`)
	f("-1s", `"-1s" should be a time above 0, like 500ms or 5s`)
	f("5", `"5" should be a time above 0, like 500ms or 5s`)
}

func TestLoops(t *testing.T) {
	most := 4 * runtime.NumCPU()
	f := func(text string, want int) {
		t.Helper()
		var l Loops
		err := l.UnmarshalText([]byte(text))
		if int(l) != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v, want %d", text, l, err, want)
		}
	}
	f("1", 1)
	f(strconv.Itoa(most), most)
	for _, text := range []string{strconv.Itoa(most + 1), "0", "-1", "", "many", "99999999999999999999"} {
		f(text, 0)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
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
		Target Targets   `sep:"none"`
		Header Headers   `sep:"none"`
		Listen Addresses `sep:"none" default:"a:1"`
	}
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{
		"--target", "a=http://a,rate=1/s", "--target", " http://b \t\n c=http://c",
		"--listen", "a:2,unix:/s,mode=660,group=g,b:3", "--listen", "unix:/t", "--listen", "unix:/u\nmode=600\nc:4",
		"--header", "X-A: 1, 2", "--header", "x-b:3\nX-C:\n",
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a=http://a,rate=1/s", "http://b", "c=http://c"}; !slices.Equal(c.Target, want) {
		t.Errorf("targets are %q, want %q", c.Target, want)
	}
	if want := []string{"a:2", "unix:/s,mode=660,group=g", "b:3", "unix:/t", "unix:/u,mode=600", "c:4"}; !slices.Equal(c.Listen, want) {
		t.Errorf("addresses are %q, want %q", c.Listen, want)
	}
	want := []fanout.Header{{Name: "X-A", Value: "1, 2"}, {Name: "x-b", Value: "3"}, {Name: "X-C", Value: ""}}
	if !slices.Equal(c.Header, want) {
		t.Errorf("headers are %q, want %q", c.Header, want)
	}
}
