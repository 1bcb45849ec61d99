package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/console"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/difference"
)

// differencesCmd shows how a target differs from its reference.
type differencesCmd struct {
	adminFlags
	Target string `arg:"" help:"The target: one that has against=."`
	Route  string `placeholder:"ROUTE" help:"Only this route, as the verdict names it."`
	Field  string `placeholder:"FIELD" help:"Only those that differ in this field, as the verdict names it, or its path alone."`
	Curl   bool   `xor:"form" help:"Print the requests as curl commands to the target."`
	HAR    string `name:"har" xor:"form" placeholder:"FILE" help:"Write an HTTP archive, which browsers and others open."`
	JSON   bool   `name:"json" xor:"form" help:"Print everything as JSON."`
}

// Help is what --help shows above the options.
func (*differencesCmd) Help() string {
	return `Examples are kept in memory only, the first 3 and the last 10 of each route and field, with secrets replaced by a hash when they are captured. Both responses stand side by side; lines that begin with ! differ, those with ~ do too, but it does not count.

    mirrorgate differences v2
    mirrorgate differences v2 --route 'GET /api/price' --field price
    mirrorgate differences v2 --route 'GET /api/price' --curl
    mirrorgate differences v2 --har differences.har`
}

// Run prints the examples.
func (c *differencesCmd) Run() error {
	clients, err := c.clients()
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	all := difference.List{Target: c.Target, Examples: []difference.Difference{}}
	for _, client := range clients {
		list, err := client.Differences(ctx, c.Target, c.Route, c.Field)
		if err != nil {
			return asked(err)
		}
		all.Against = list.Against
		all.Examples = append(all.Examples, list.Examples...)
	}
	slices.SortStableFunc(all.Examples, func(a, b difference.Difference) int { return a.Time.Compare(b.Time) })
	return c.print(&all)
}

func (c *differencesCmd) print(l *difference.List) error {
	switch {
	case c.JSON:
		return console.WriteJSON(os.Stdout, l)
	case c.Curl:
		for _, d := range l.Examples {
			if _, err := fmt.Println(d.Curl); err != nil {
				return err
			}
		}
		return nil
	case c.HAR != "":
		return c.writeArchive(l)
	}
	return console.WriteDifferences(os.Stdout, l)
}

// writeArchive makes a file that only its owner may read: it shows what production
// was asked.
func (c *differencesCmd) writeArchive(l *difference.List) error {
	const ownerOnly = 0o600
	file, err := os.OpenFile(c.HAR, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, ownerOnly)
	if err != nil {
		return usageError{fmt.Errorf("--har: cannot write archive: %w", err)}
	}
	err = errors.Join(console.WriteJSON(file, l.Archive(buildVersion())), file.Close())
	if err != nil {
		return fmt.Errorf("--har: cannot write archive: %w", err)
	}
	fmt.Fprintf(os.Stderr, "mirrorgate: %d examples are in %s\n", len(l.Examples), c.HAR)
	return nil
}
