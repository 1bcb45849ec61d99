package bench

import (
	"os"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := func(targets int, command, want string) {
		t.Helper()
		p := placeholders{listen: "127.0.0.1:9", targets: []string{"a:1", "b:2"}[:targets], conns: 3, batch: 4, mirrorgate: self, bench: "/no/mirrorgate-bench"}
		got, err := p.expand(command)
		if err != nil {
			got = "error: " + err.Error()
		}
		if !strings.Contains(got, want) || !strings.HasPrefix(got, "error: ") && got != want {
			t.Errorf("%s:\n got %s\nwant %s", command, got, want)
		}
	}
	f(1, "x -l {listen} -t {target}", "x -l 127.0.0.1:9 -t a:1")
	f(1, "x -p {port} --url http://{target}/x", "x -p 9 --url http://a:1/x")
	f(2, "x {listen} {target} {target2}", "x 127.0.0.1:9 a:1 b:2")
	f(2, "x {listen} --t=http://{targets}/", "x 127.0.0.1:9 --t=http://a:1/ --t=http://b:2/")
	f(0, "x {listen} --t={targets}", "x 127.0.0.1:9")
	f(1, "x {listen} -c {conns} -b {batch}", "x 127.0.0.1:9 -c 3 -b 4")
	f(1, "{self} {listen}", quote(self)+" 127.0.0.1:9")
	f(1, "{bench} {listen}", "cannot find /no/mirrorgate-bench, which {bench} stands for")
	f(1, `x {listen} '{"json": 1}'`, `x 127.0.0.1:9 '{"json": 1}'`)
	f(1, "x {target}", "neither {listen} nor {port}")
	f(1, "x {listen} {target2}", "has {target2}, but there are 1 targets")
	f(0, "x {listen} {target}", "has {target}, but there are 0 targets")
	f(2, "x {listen} {target}", "does not name all of its 2 targets")
}

func TestQuote(t *testing.T) {
	f := func(word, want string) {
		t.Helper()
		if got := quote(word); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
	f("/usr/bin/mirrorgate-1.0", "/usr/bin/mirrorgate-1.0")
	f("/my files/x", "'/my files/x'")
	f("it's", `'it'\''s'`)
}
