package e2e

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The documents for users, in the order in which they are read.
const (
	readmeFile    = "README.md"
	referenceFile = "cmd/mirrorgate/REFERENCE.md"
)

var documents = []string{readmeFile, referenceFile}

// document returns one of them.
func document(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile("../../../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a fenced block of a document.
type block struct {
	document string
	line     int    // of its first fence
	language string // sh for commands
	file     string // where the text before the block says that it goes, if it does
	text     string
}

var (
	blockPattern = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	filePattern  = regexp.MustCompile("`(/etc/[^`]+)`:\n\n$")
)

// blocks returns those of all documents.
func blocks(t *testing.T) (found []block) {
	t.Helper()
	for _, file := range documents {
		found = append(found, blocksOf(file, document(t, file))...)
	}
	return found
}

func blocksOf(file, text string) (found []block) {
	for _, at := range blockPattern.FindAllStringSubmatchIndex(text, -1) {
		before := text[:at[0]]
		b := block{document: file, line: strings.Count(before, "\n") + 1, language: text[at[2]:at[3]], text: text[at[4]:at[5]]}
		if file := filePattern.FindStringSubmatch(before); file != nil {
			b.file = file[1]
		}
		found = append(found, b)
	}
	return found
}

// place says where the block is.
func (b block) place() string { return fmt.Sprintf("%s:%d", b.document, b.line) }

// commands returns those of a block, each in one line.
func (b block) commands() []string {
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(b.text, "\\\n", ""), "\n"), "\n")
}

// prose returns a document without its blocks.
func prose(text string) string { return blockPattern.ReplaceAllString(text, "") }

// What is written in the text as a command of ours is one: of mirrorgate, the
// begin of one that is run, or help on what there is help on; of make, a target.
func TestReadmeNamesCommands(t *testing.T) {
	var run []string
	for _, b := range blocks(t) {
		if b.language == "sh" {
			run = append(run, b.commands()...)
		}
	}
	makefile, err := os.ReadFile("../../../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range documents {
		text := prose(document(t, file))
		for _, span := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
			words := strings.Join(strings.Fields(span[1]), " ")
			program, rest, _ := strings.Cut(words, " ")
			switch {
			case rest == "":
			case strings.HasPrefix(words, "mirrorgate help "):
				if code, _, stderr := mirrorgate(t, nil, strings.Fields(rest)...); code != 0 {
					t.Errorf("%s names `%s`: %s", file, words, stderr)
				}
			case program == "mirrorgate" || program == "systemctl" || program == "curl":
				if !slices.ContainsFunc(run, func(c string) bool { return strings.HasPrefix(c+" ", words+" ") }) {
					t.Errorf("%s names `%s`, which no block runs", file, words)
				}
			case program == "make":
				target, _, _ := strings.Cut(rest, " ")
				if !regexp.MustCompile("(?m)^" + target + ":").Match(makefile) {
					t.Errorf("%s names make %s, which does not exist", file, target)
				}
			}
		}
		if indented := regexp.MustCompile(`(?m)^    (\S*/)?(mirrorgate|make|systemctl|curl|haproxy) .*`).FindString(text); indented != "" {
			t.Errorf("%s: %q should be in a block of sh, where it is run", file, indented)
		}
	}
}

// README is what is read in the first hour.
func TestReadmeIsShort(t *testing.T) {
	const most = 350
	if lines := strings.Count(document(t, readmeFile), "\n"); lines > most {
		t.Errorf("README has %d lines, should have %d at most: the rest belongs into a topic of mirrorgate help", lines, most)
	}
}

// Links within a document, and from one to another, lead somewhere.
func TestReadmeLinks(t *testing.T) {
	for _, file := range append(documents, ".github/CONTRIBUTING.md") {
		text := document(t, file)
		for _, link := range regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]+))?\)`).FindAllStringSubmatch(prose(text), -1) {
			to := text
			if link[1] != "" {
				to = document(t, filepath.Join(filepath.Dir(file), link[1]))
			}
			if link[2] != "" && !anchors(to)[link[2]] {
				t.Errorf("%s: there is no section #%s in %s", file, link[2], cmp.Or(link[1], "it"))
			}
		}
	}
}

// anchors returns those of the headings of a document.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(text), -1) {
		found[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-")] = true
	}
	return found
}

// The table of hosts is what the rule above it gives.
func TestReadmeSizesHosts(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$`).FindAllStringSubmatch(document(t, referenceFile), -1)
	if len(rows) == 0 {
		t.Fatal("there is no table of hosts")
	}
	for _, row := range rows {
		requests, _ := strconv.ParseFloat(strings.ReplaceAll(row[1], ",", ""), 64)
		for i, micros := range []float64{15, 15 + 3*3, 15 + 3*3 + 7, 15 + 3*3 + 7 + 10} {
			want := fmt.Sprint(1 + math.Ceil(requests*micros/(1e6*(0.6*4-0.1))))
			if row[i+2] != want {
				t.Errorf("%s requests/s at %v µs need %s hosts, the reference says %s", row[1], micros, want, row[i+2])
			}
		}
	}
}

// The rule is of figures that make bench wrote: at no rate that was measured does a
// request cost more of a core than the rule allows for.
func TestReadmeSizingFollowsResults(t *testing.T) {
	results := document(t, "bench/RESULTS.md")
	measured := map[string]string{} // µs for each request by requests a second
	if byBatch := regexp.MustCompile(`at 40,?000/s by batch[^|]*\| 1: ([\d.]+)`).FindStringSubmatch(results); byBatch != nil {
		measured["40000"] = byBatch[1]
	}
	_, table, _ := strings.Cut(results, "| requests/s | CPU µs/request | of a core |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range regexp.MustCompile(`(?m)^\| ([\d,]+) \| ([\d.]+) \|`).FindAllStringSubmatch(table, -1) {
		measured[strings.ReplaceAll(row[1], ",", "")] = row[2]
	}
	if len(measured) == 0 {
		t.Fatal("bench/RESULTS.md has no cost of a request at a rate")
	}
	for rate, cost := range measured {
		requests, _ := strconv.ParseFloat(rate, 64)
		micros, err := strconv.ParseFloat(cost, 64)
		if needs, allowed := requests*micros/1e6, 0.1+requests*15/1e6; err != nil || needs > allowed {
			t.Errorf("at %s requests/s a request costs %s µs, so %.2f cores, but help sizing allows for %.2f", rate, cost, needs, allowed)
		}
	}
}
