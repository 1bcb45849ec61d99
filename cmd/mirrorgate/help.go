package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/reference"
)

//go:generate sh -c "go run . help --markdown > REFERENCE.md"

// helpCmd shows the reference.
type helpCmd struct {
	Words    []string `arg:"" optional:"" name:"topic" help:"A topic, a command, or a word of its tables: an option, a metric, a reason such as queue_full."`
	Markdown bool     `help:"Print all topics in Markdown." xor:"form"`
	Man      bool     `help:"Print the manual page, mirrorgate(1)." xor:"form"`
}

// Help is what --help shows above the options.
func (*helpCmd) Help() string {
	return `Without a topic, it lists them.

    mirrorgate help accounting
    mirrorgate help queue_full
    mirrorgate help --markdown > REFERENCE.md
    mirrorgate help --man > /usr/local/share/man/man1/mirrorgate.1`
}

// Run prints the list, a topic, or what is known of a word.
func (c *helpCmd) Run(ctx *kong.Context) error {
	topics := reference.Topics(ctx.Model)
	word := strings.Join(c.Words, " ")
	switch {
	case c.Markdown:
		fmt.Print(reference.Markdown(topics))
		return nil
	case c.Man:
		fmt.Print(reference.Man(ctx.Model, topics, buildVersion()))
		return nil
	case word == "":
		listTopics(topics)
		return nil
	}
	if i := slices.IndexFunc(topics, func(t reference.Topic) bool { return t.Name == word }); i >= 0 {
		fmt.Print(topics[i].Terminal(terminalWidth()))
		return nil
	}
	for _, command := range ctx.Model.Leaves(true) {
		if command.Path() == word {
			_, err := newParser(new(cli)).Parse(append(slices.Clone(c.Words), "--help"))
			return err
		}
	}
	if about := reference.About(topics, word, terminalWidth()); about != "" {
		fmt.Print(about)
		return nil
	}
	return usageError{fmt.Errorf("there is no help on %q; mirrorgate help lists the topics", word)}
}

func listTopics(topics []reference.Topic) {
	fmt.Println("mirrorgate help TOPIC, or a word such as an option, a metric or a reason of a drop:")
	for _, t := range topics {
		fmt.Printf("  %-12s  %s\n", t.Name, t.Title)
	}
	fmt.Println("\nmirrorgate COMMAND --help shows the options of a command, mirrorgate --help lists the commands.")
}

// terminalWidth is that of the standard output, in columns, within what is read with
// ease.
func terminalWidth() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 80
	}
	return min(max(width, 40), 100)
}
