package e2e

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readme returns README.md.
func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a fenced block of README.
type block struct {
	line     int    // of its first fence
	language string // sh for commands
	file     string // where the text before the block says that it goes, if it does
	text     string
}

var (
	blockPattern = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	filePattern  = regexp.MustCompile("`(/etc/[^`]+)`:\n\n$")
)

// blocks returns those of a text in Markdown.
func blocks(text string) (found []block) {
	for _, at := range blockPattern.FindAllStringSubmatchIndex(text, -1) {
		before := text[:at[0]]
		b := block{line: strings.Count(before, "\n") + 1, language: text[at[2]:at[3]], text: text[at[4]:at[5]]}
		if file := filePattern.FindStringSubmatch(before); file != nil {
			b.file = file[1]
		}
		found = append(found, b)
	}
	return found
}

// commands returns those of a block, each in one line.
func (b block) commands() []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(b.text, "\\\n", ""), "\n"), "\n")
}

// prose returns README without its blocks.
func prose(text string) string { return blockPattern.ReplaceAllString(text, "") }

// What is written in the text as a command of ours is one: of mirrorgate, the
// begin of one that is run; of make, a target.
func TestReadmeNamesCommands(t *testing.T) {
	text := readme(t)
	var run []string
	for _, b := range blocks(text) {
		if b.language == "sh" {
			run = append(run, b.commands()...)
		}
	}
	makefile, err := os.ReadFile("../../../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(prose(text), -1) {
		words := strings.Join(strings.Fields(span[1]), " ")
		program, rest, _ := strings.Cut(words, " ")
		switch {
		case rest == "":
		case program == "mirrorgate" || program == "systemctl" || program == "curl":
			if !slices.ContainsFunc(run, func(c string) bool { return strings.HasPrefix(c+" ", words+" ") }) {
				t.Errorf("README names `%s`, which no block runs", words)
			}
		case program == "make":
			target, _, _ := strings.Cut(rest, " ")
			if !regexp.MustCompile("(?m)^" + target + ":").Match(makefile) {
				t.Errorf("README names make %s, which does not exist", target)
			}
		}
	}
	if indented := regexp.MustCompile(`(?m)^    (\S*/)?(mirrorgate|make|systemctl|curl|haproxy) .*`).FindString(prose(text)); indented != "" {
		t.Errorf("%q should be in a block of sh, where it is run", indented)
	}
}

// Links within README lead somewhere.
func TestReadmeLinks(t *testing.T) {
	text := readme(t)
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(text), -1) {
		anchors[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-")] = true
	}
	for _, link := range regexp.MustCompile(`\]\((#?)([^)]+)\)`).FindAllStringSubmatch(prose(text), -1) {
		if link[1] == "#" {
			if !anchors[link[2]] {
				t.Errorf("there is no section #%s", link[2])
			}
		} else if _, err := os.Stat("../../../../" + link[2]); err != nil {
			t.Error(err)
		}
	}
}

// The table of hosts is what the rule above it gives.
func TestReadmeSizesHosts(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$`).FindAllStringSubmatch(readme(t), -1)
	if len(rows) == 0 {
		t.Fatal("there is no table of hosts")
	}
	for _, row := range rows {
		requests, _ := strconv.ParseFloat(strings.ReplaceAll(row[1], ",", ""), 64)
		for i, micros := range []float64{15, 15 + 3*3, 15 + 3*3 + 7, 15 + 3*3 + 7 + 10} {
			want := fmt.Sprint(1 + math.Ceil(requests*micros/(1e6*(0.6*4-0.1))))
			if row[i+2] != want {
				t.Errorf("%s requests/s at %v µs need %s hosts, README says %s", row[1], micros, want, row[i+2])
			}
		}
	}
}
