package main

import (
	"os"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/completion"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is what --help shows above the options.
func (*completionCmd) Help() string {
	return `Put what it prints where your shell looks for it:

    mirrorgate completion bash > /etc/bash_completion.d/mirrorgate
    mirrorgate completion zsh > /usr/share/zsh/vendor-completions/_mirrorgate
    mirrorgate completion fish > /etc/fish/completions/mirrorgate.fish`
}

// Run prints the script.
func (c *completionCmd) Run(ctx *kong.Context) error {
	_, err := os.Stdout.WriteString(completion.Script(c.Shell, ctx.Model))
	return err
}
