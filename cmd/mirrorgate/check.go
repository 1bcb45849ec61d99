package main

import (
	"fmt"
	"os"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// checkCmd has the options of the default command.
type checkCmd struct{ options.Options }

// Help is what --help shows above the options.
func (*checkCmd) Help() string {
	return `Reads the same flags, environment and configuration file as a start would, and checks all that can be checked without binding an address or connecting anywhere. What is in force is printed as a configuration file, with where each value comes from; values of headers are hidden. Exit status 2 says that something is wrong.

    mirrorgate check --config /etc/mirrorgate.yml
    mirrorgate check /etc/mirrorgate.yml`
}

// Run prints what is in force, or returns what is wrong.
func (c *checkCmd) Run() error {
	targets, err := c.Check()
	if err != nil {
		return usageError{err}
	}
	for _, warning := range c.Warnings() {
		fmt.Fprintln(os.Stderr, "mirrorgate: warning:", warning)
	}
	c.WriteSheet(os.Stdout, targets)
	return nil
}
