package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/reference"
	"github.com/mirrorgate/mirrorgate/fanout"
)

var (
	optionRow   = regexp.MustCompile("(?m)^\\| (`--[a-z].*?) \\| (.*?) ?\\| .+ \\|$")
	optionName  = regexp.MustCompile("`--([a-z-]+)`")
	targetOnly  = regexp.MustCompile("(?m)^\\| (`[a-z-]+=`.*?) \\|")
	keyName     = regexp.MustCompile("`([a-z-]+)=`")
	knownKeys   = regexp.MustCompile(`should be one of (.*)$`)
	optionsHead = "\n## options\n"
)

// REFERENCE.md is what mirrorgate help says.
func TestReferenceIsFresh(t *testing.T) {
	text, err := os.ReadFile("REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != reference.Markdown(reference.Topics(newParser(new(cli)).Model)) {
		t.Error("REFERENCE.md is out of date: make reference")
	}
}

// The flags of --help and those of the reference's tables are the same, with the same
// defaults, and so are the keys of a target.
func TestReferenceHasOptions(t *testing.T) {
	text, err := os.ReadFile("REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), optionsHead)
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]string{} // the default by name
	for _, row := range optionRow.FindAllStringSubmatch(section, -1) {
		names := optionName.FindAllStringSubmatch(row[1], -1)
		defaults := strings.Split(row[2], ", ")
		for i, name := range names {
			if _, twice := listed[name[1]]; twice {
				t.Errorf("the reference lists --%s twice", name[1])
			}
			listed[name[1]] = row[2]
			if len(defaults) == len(names) {
				listed[name[1]] = defaults[i]
			}
		}
	}
	model := newParser(new(cli)).Model
	defaults := map[string]bool{} // of targets
	for _, flag := range model.DefaultCmd.Flags {
		value, found := listed[flag.Name]
		delete(listed, flag.Name)
		switch {
		case flag.Hidden:
		case !found:
			t.Errorf("the reference's tables of options lack --%s", flag.Name)
		case flag.HasDefault && value != flag.Default:
			t.Errorf("the reference says that --%s is %q by default, but it is %q", flag.Name, value, flag.Default)
		}
		defaults[flag.Name] = flag.Group != nil && flag.Group.Key == "defaults"
	}
	for name := range listed {
		t.Errorf("the reference lists --%s, which does not exist", name)
	}

	var keys []string
	for _, row := range targetOnly.FindAllStringSubmatch(section, -1) {
		for _, key := range keyName.FindAllStringSubmatch(row[1], -1) {
			keys = append(keys, key[1])
		}
	}
	maps.DeleteFunc(defaults, func(_ string, isKey bool) bool { return !isKey })
	keys = slices.Sorted(slices.Values(slices.AppendSeq(keys, maps.Keys(defaults))))
	_, err = fanout.ParseTarget("http://a,no=1", fanout.DefaultTarget(), 1)
	if known := knownKeys.FindStringSubmatch(err.Error()); known == nil || known[1] != strings.Join(keys, ", ") {
		t.Errorf("the reference has the keys %s of a target, but: %v", strings.Join(keys, ", "), err)
	}
}
