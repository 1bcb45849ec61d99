package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/bench"
)

// programs are the two programs as users run them.
var programs bench.RunConfig

func TestMain(m *testing.M) { os.Exit(testAll(m)) }

func testAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "mirrorgate-bench-test-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, "../mirrorgate", ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("cannot build the programs: %v\n%s", err, out)
		return 1
	}
	programs.Mirrorgate, programs.Bench = filepath.Join(dir, "mirrorgate"), filepath.Join(dir, "mirrorgate-bench")
	return m.Run()
}

// What draws pictures costs the daemon memory and time to start.
func TestMirrorgateDrawsNoPictures(t *testing.T) {
	pictures := regexp.MustCompile(`plot|font|freetype|latex|pdf|svg|image`)
	linked := func(program string) (modules []string) {
		t.Helper()
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range info.Deps {
			if pictures.MatchString(m.Path) {
				modules = append(modules, m.Path)
			}
		}
		return modules
	}
	if m := linked(programs.Mirrorgate); len(m) > 0 {
		t.Errorf("mirrorgate has %q", m)
	}
	if m := linked(programs.Bench); len(m) == 0 {
		t.Error("mirrorgate-bench has none, so this looks for the wrong ones")
	}
}

var examplePattern = regexp.MustCompile(`(?m)^    (mirrorgate-bench .*)$`)

// The examples of the help texts are understood as they stand.
func TestHelpExamples(t *testing.T) {
	examples := 0
	for _, command := range newParser(new(cli)).Model.Leaves(false) {
		for _, example := range examplePattern.FindAllStringSubmatch(command.Detail, -1) {
			words, err := exec.Command("sh", "-c", `printf '%s\n' `+example[1]).Output()
			if err != nil {
				t.Fatalf("%s: %q: %v", command.Path(), example[1], err)
			}
			args := strings.Split(strings.TrimSuffix(string(words), "\n"), "\n")
			if _, err := newParser(new(cli)).Parse(args[1:]); err != nil {
				t.Errorf("%s: %q: %v", command.Path(), example[1], err)
			}
			examples++
		}
	}
	if examples < 3 {
		t.Errorf("there are %d examples, want at least 3", examples)
	}
}

// Both programs find each other in the directory that they share.
func TestCompare(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		args = append(args, "--duration=200ms", "--warmup=0s", "--rate=200", "--rounds=1")
		out, err := exec.Command(programs.Bench, append([]string{"compare"}, args...)...).CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("%q: %v, %s", args, err, out)
		}
	}
	f("cpu_us_per_delivered")
	f("mirrorgate-bench: cannot measure B in round 1: the agent died before it listened: exit status 1", "--b=false {listen}")
	f("mirrorgate-bench: cannot measure A in round 1: the command \"true\" has neither {listen} nor {port}", "--a=true")
}

// Each agent and each disturbance gets its turn. How fast it is does not matter
// here, so a turn may fail for want of time.
func TestTail(t *testing.T) {
	out, err := exec.Command(programs.Bench, "tail", "--rounds=1", "--disturbed=1", "--warmup=0s", "--duration=200ms", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var r bench.TailReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Quiet) != 9 || len(r.Disturbed) < 9 {
		t.Errorf("%d rows of a quiet host, %d of a disturbed one", len(r.Quiet), len(r.Disturbed))
	}
	busy := regexp.MustCompile(`^$|cannot reach|not acknowledged in time`)
	measured := 0
	for _, row := range append(r.Quiet, r.Disturbed...) {
		if !busy.MatchString(row.Failed) {
			t.Errorf("%s: %s", row.What, row.Failed)
		}
		measured += row.Turns
	}
	if measured == 0 {
		t.Error("there are no figures")
	}
}
