package options

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	f := func(name, cgroup string, limits map[string]string, want int64) {
		t.Helper()
		root := t.TempDir()
		write := func(file, text string) {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("proc/self/cgroup", cgroup)
		for group, limit := range limits {
			write(filepath.Join("sys/fs/cgroup", group, "memory.max"), limit+"\n")
		}
		if got := memoryLimit(root); got != want {
			t.Errorf("%s: the limit is %d, want %d", name, got, want)
		}
	}
	const unit = "0::/system.slice/mirrorgate.service\n"
	f("a unit", unit, map[string]string{"system.slice/mirrorgate.service": "1342177280", "system.slice": "max"}, 1280<<20)
	f("a slice", unit, map[string]string{"system.slice/mirrorgate.service": "max", "system.slice": "1048576"}, 1<<20)
	f("the smaller one", unit, map[string]string{"system.slice/mirrorgate.service": "2097152", "system.slice": "1048576"}, 1<<20)
	f("its own", unit, map[string]string{"system.slice/mirrorgate.service": "1048576", "system.slice": "2097152"}, 1<<20)
	f("a container", "0::/\n", map[string]string{"": "1048576"}, 1<<20)
	f("none", unit, map[string]string{"system.slice/mirrorgate.service": "max"}, 0)
	f("another's", unit, map[string]string{"system.slice/haproxy.service": "1048576"}, 0)
	f("version 1", "4:memory:/a\n", map[string]string{"a": "1048576"}, 0)
	f("version 1 and 2", "4:memory:/b\n0::/a\n", map[string]string{"a": "1048576"}, 1<<20)
	if got := memoryLimit(t.TempDir()); got != 0 {
		t.Errorf("without control groups the limit is %d", got)
	}
}

// What there is room for, at its worst, fits.
func TestConnsWithin(t *testing.T) {
	f := func(limit, payload int64, want int) {
		t.Helper()
		if got := ConnsWithin(limit, payload); got != want {
			t.Errorf("%d connections in %d bytes with %d of payload, want %d", got, limit, payload, want)
		}
	}
	f(1280<<20, 512<<20, 9216)
	f(512<<20, 256<<20, 2048)
	f(100<<20, 512<<20, fewestConns)
}
