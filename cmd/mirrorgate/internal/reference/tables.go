package reference

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// optionsTable has a row for each flag of the group.
func optionsTable(flags []*kong.Flag, group string) string {
	table := "| flag | default | meaning |\n|---|---|---|\n"
	for _, flag := range flags {
		if flag.Hidden || flag.Group == nil || flag.Group.Key != group {
			continue
		}
		table += fmt.Sprintf("| `--%s` | %s | %s |\n", flag.Name, flag.Default, strings.TrimSpace(cell(flag.Tag.Help)+" "+options.Details[flag.Name]))
	}
	return strings.TrimSuffix(table, "\n")
}

// metricsTable has a row for each family of ours.
func metricsTable() string {
	table := "| metric | what it is | when it is high |\n|---|---|---|\n"
	for _, m := range admin.Metrics {
		table += fmt.Sprintf("| `%s%s` | %s | %s |\n", m.Name, m.Labels, m.Help, m.High)
	}
	return strings.TrimSuffix(table, "\n")
}

// cell keeps what has a meaning in Markdown from having it.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(text)
}
