package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var examplePattern = regexp.MustCompile(`(?m)^    (\S.*(?:\n {8}.*)*)$`)

// The examples of the help texts are understood as they stand. What they do is
// done by README's and the reference's, which are run.
func TestHelpExamples(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mirrorgate.yml")
	if err := os.WriteFile(file, []byte("target: http://a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, command := range newParser(new(cli)).Model.Leaves(false) {
		for _, example := range examplePattern.FindAllStringSubmatch(command.Detail, -1) {
			line, _, _ := strings.Cut(strings.NewReplacer("\\\n", "", "/etc/mirrorgate.yml", file, "{self}", "mirrorgate", "{conns}", "64", "{batch}", "16").Replace(example[1]), " > ")
			words, err := exec.Command("sh", "-c", `printf '%s\n' `+line).Output()
			if err != nil {
				t.Fatalf("%s: %q: %v", command.Path(), line, err)
			}
			args := strings.Split(strings.TrimSuffix(string(words), "\n"), "\n")
			for strings.HasPrefix(args[0], "MIRRORGATE_") {
				args = args[1:]
			}
			examples++
			if args[0] == "echo" {
				continue
			}
			if _, err := newParser(new(cli)).Parse(configFirst(args[1:])); args[0] != "mirrorgate" || err != nil {
				t.Errorf("%s: %q: %v", command.Path(), line, err)
			}
		}
	}
	if examples < 20 {
		t.Errorf("there are %d examples, want at least 20", examples)
	}
}
