package reference

import (
	"fmt"
	"regexp"
)

// belowTopic matches the headings within a topic.
var belowTopic = regexp.MustCompile(`(?m)^(#+ )`)

// Markdown returns all topics as one document.
func Markdown(topics []Topic) string {
	out := `# mirrorgate: reference

Written by ` + "`make reference`" + ` from what ` + "`mirrorgate help`" + ` says: change that instead.
The first hour is in [README](../../README.md).

`
	for _, t := range topics {
		out += fmt.Sprintf("- [%s](#%s): %s\n", t.Name, t.Name, t.Title)
	}
	for _, t := range topics {
		out += fmt.Sprintf("\n## %s\n\n**%s**\n\n%s", t.Name, t.Title, belowTopic.ReplaceAllString(t.Text, "#$1"))
	}
	return out
}
