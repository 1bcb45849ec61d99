package configfile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	f := func(path string, size int, want string) {
		t.Helper()
		text, err := ReadFile(path)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if len(text) != size || got != want {
			t.Errorf("%s: %d bytes, %s, want %d, %s", path, len(text), got, size, want)
		}
	}
	for name, size := range map[string]int{"full": maxSize, "over": maxSize + 1} {
		if err := os.WriteFile(at(name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(at("full"), maxSize, "")
	f(at("over"), 0, at("over")+" is larger than 1 MiB")
	f(at("pipe"), 0, at("pipe")+" is no regular file")
	f("/dev/zero", 0, "/dev/zero is no regular file")
	f(dir, 0, dir+" is no regular file")
	f(at("none"), 0, "open "+at("none")+": no such file or directory")
}

func TestTooDeep(t *testing.T) {
	f := func(text string, want int) {
		t.Helper()
		if got := tooDeep([]byte(text)); got != want {
			t.Errorf("%.60q is too deep in line %d, want %d", text, got, want)
		}
	}
	var deep strings.Builder
	for i := range maxLevels {
		deep.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	f(deep.String(), 0)
	f(deep.String()+strings.Repeat(" ", maxLevels)+"a: 1\n", maxLevels+1)
	f(deep.String()+strings.Repeat("a: 1\n", 1000), 0)
	f(strings.Repeat("- ", maxLevels), 0)
	f("\n"+strings.Repeat("- ", maxLevels)+"a", 2)
	f(strings.Repeat("- a\n", 1000), 0)
	f("a: "+strings.Repeat("[", 30_000), 1)
	f("a:\n"+strings.Repeat(" [\n", 30_000), 100)
	f("a: "+strings.Repeat("{a: ", 30_000), 1)
	f(strings.Repeat("a: [{b: c}, [d]]\n", 1000), 0)
	f(strings.Repeat(`a: "[[["`+"\n", 1000), 0)
	f(strings.Repeat("a: '[[['\n", 1000), 0)
	f(strings.Repeat("a: b # [[[\n", 1000), 0)
	f("a: it's [x\n", 0)
	f("a: \"\\\"\n"+strings.Repeat("[", 1000)+"\"\nb: c\n", 0)
	f("a: 'b'\nc: "+strings.Repeat("[", 1000), 2)
}
