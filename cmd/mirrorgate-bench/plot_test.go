package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/bench"
)

func TestSavePlot(t *testing.T) {
	sweeps := []bench.Sweep{
		{Name: "targets", Points: []bench.SweepPoint{{Size: 1}, {Size: 2, Report: bench.Report{CPUPerAcked: 2.25}}}},
		{Name: "one", Points: []bench.SweepPoint{{Size: 1}}},
	}
	f := func(name, begin, want string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		err := savePlot(path, sweeps)
		if begin == "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v", name, err)
			}
			return
		}
		b, _ := os.ReadFile(path)
		if err != nil || !strings.HasPrefix(string(b), begin) || !strings.Contains(string(b), want) {
			t.Errorf("%s: %v, %d bytes", name, err, len(b))
		}
	}
	f("a.svg", "<?xml", "targets")
	f("a.png", "\x89PNG", "IEND")
	f("a.gif", "", "must end in .svg or .png")
	f("no/a.svg", "", "cannot plot: ")
}
