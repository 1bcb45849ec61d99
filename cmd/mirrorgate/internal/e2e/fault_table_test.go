package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// The reference says what the suite does, in the suite's words.
func TestReferenceHasFaults(t *testing.T) {
	var want strings.Builder
	want.WriteString("| fault | how | what was seen |\n|---|---|---|\n")
	for _, f := range faults() {
		fmt.Fprintf(&want, "| %s | %s | %s |\n", f.name, f.injected, f.seen)
	}
	if !strings.Contains(document(t, referenceFile)+"\n", "\n\n"+want.String()+"\n") {
		t.Errorf("topics/tested.md's table of faults should be:\n%s", want.String())
	}
}

// What other tests show is shown by tests that there are.
func TestFaultsAreTested(t *testing.T) {
	for _, f := range faults() {
		if (f.test == nil) == (f.by == "") {
			t.Errorf("%s: should have a test here or elsewhere", f.name)
		}
		if f.by == "" {
			continue
		}
		out, err := exec.Command("grep", "-rlE", "--include=*_test.go", "^func "+f.by+`\(t \*testing\.T\)`, "../../../..").Output()
		if err != nil || len(out) == 0 {
			t.Errorf("%s: there is no test %s", f.name, f.by)
		}
	}
}
