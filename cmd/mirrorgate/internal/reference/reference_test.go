package reference

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

func topics(t *testing.T) []Topic {
	t.Helper()
	var program struct {
		Run struct{ options.Options } `cmd:"" default:"withargs"`
	}
	return Topics(kong.Must(&program, options.Groups).Model)
}

func TestTerminal(t *testing.T) {
	f := func(markdown, want string) {
		t.Helper()
		if got := forTerminal(parse(markdown), 30); got != want {
			t.Errorf("%q is\n%s\nwant\n%s", markdown, got, want)
		}
	}
	f("One `two`, [three](#there)\nand **four** \\*.\n", "  One two, three and four *.\n")
	f("A longer text that does not fit\n\ninto a line.\n", "  A longer text that does not\n  fit\n\n  into a line.\n")
	f("One\n\n## Two\n\nThree\n", "  One\n\nTWO\n\n  Three\n")
	f("- one\n  more\n- two\n", "  - one more\n  - two\n")
	f("So:\n\n```sh\nmirrorgate \\\n    --help\n\n# `all`\n```\n", "  So:\n\n      mirrorgate \\\n          --help\n\n      # `all`\n")
	f("    a = b\n    c = d\n", "      a = b\n      c = d\n")
	f("| key | why |\n|---|---|\n| `a` | b \\| c |\n| d | |\n", "  KEY\n  a\n        b | c\n  d\n")
	f("| key | default | why |\n|---|---|---|\n| a | 1 | b |\n", "  KEY\n  a (default 1)\n        b\n")
	f("| key | what it is | why |\n|---|---|---|\n| a | a text that is long enough | b |\n",
		"  KEY\n  a\n        what it is: a text\n        that is long enough\n        why: b\n")
}

// Every topic is a text for a terminal: nothing of Markdown is left, and no line is
// too long unless it is code.
func TestTopics(t *testing.T) {
	all := topics(t)
	for _, topic := range all {
		text := forTerminal(slices.DeleteFunc(parse(topic.Text), func(b block) bool { return b.kind == code }), 80)
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > 80 || strings.Contains(line, "](") || strings.Contains(line, "**") || strings.HasPrefix(line, "  |") {
				t.Errorf("help %s has the line %q", topic.Name, line)
			}
		}
		if len(text) < 300 || strings.Contains(text, "<no value>") {
			t.Errorf("help %s is %q", topic.Name, text)
		}
	}
	written, err := fs.Glob(files, "topics/*.md")
	if err != nil || len(written) != len(all) {
		t.Errorf("there are %d texts and %d topics, %v", len(written), len(all), err)
	}
}

// What is told besides an option's help belongs to an option that there is.
func TestDetails(t *testing.T) {
	text := Markdown(topics(t))
	for name, detail := range options.Details {
		if !strings.Contains(text, "| `--"+name+"` |") || !strings.Contains(text, detail) {
			t.Errorf("the reference has no row for --%s with its details", name)
		}
	}
}

func TestAbout(t *testing.T) {
	all := topics(t)
	f := func(word string, want ...string) {
		t.Helper()
		text := About(all, word, 80)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("about %s it does not say %q:\n%s", word, w, text)
			}
		}
		if len(want) == 0 && text != "" {
			t.Errorf("about %s it says\n%s", word, text)
		}
		if strings.Count(text, "\n") > 40 {
			t.Errorf("about %s it says too much:\n%s", word, text)
		}
	}
	f("queue_full", "ACCOUNTING: ", "slower than its traffic")
	f("--max-age", "(default 10s)", "dropped as stale")
	f("mirrorgate_payload_bytes", "METRICS: ", "when it is high: Near the limit")
	f("weight", "weight=", "part of its group's requests")
	f("257", "HAPROXY: ", "the connection broke")
	f("nothing")
	f("")
}

func TestNames(t *testing.T) {
	f := func(cell, word string, want bool) {
		t.Helper()
		if got := names(cell, word); got != want {
			t.Errorf("%q is about %q: %v, want %v", cell, word, got, want)
		}
	}
	f("`dial`, `tls`", "tls", true)
	f("`--tls-ca`", "tls", false)
	f("`weight=`", "weight", true)
	f("`mirrorgate_a{target}`", "mirrorgate_a", true)
	f("", "", false)
	if !slices.Equal(cells(`| a | b \| c | |`), []string{"a", "b | c", ""}) {
		t.Errorf("the cells are %q", cells(`| a | b \| c | |`))
	}
}
