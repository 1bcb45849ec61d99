// Command mirrorgate mirrors the HTTP traffic of HAProxy to any number of
// weighted targets.
//
// The way through the files:
//
//	main.go           the command line as a whole
//	environment.go    the variables of the environment, and those that are misspelt
//	internal/options  the options of the default command: flags, environment, configuration file
//	check.go          what a start would find wrong, and what would be in force
//	run.go            start in order, wait for the signal, stop in order
//	comparing.go      which targets are compared, and what they will write
//	gateway.go        fanout and engine, put together
//	reload.go         the configuration file again, while it runs
//	internal/logging  the log, which holds nothing up
//	internal/readings what the metrics say: for the log, the page, and whether they add up
//	internal/admin    the live page, the API, metrics and health over HTTP
//	adminflags.go     how a running mirrorgate is asked, for the next ones
//	status.go         what it does, and
//	tune.go           changing it, with internal/console
//	verdict.go        whether a target is like its reference, and
//	differences.go    examples of how it differs, with internal/console
//	replay.go         a recording again, with internal/replay
//	source.go         the recordings of both: a folder, or a topic of Kafka
//	logcmd.go         what is in a recording, with internal/recordings
//	demo.go           all of it on one machine, with internal/demo
//	bench.go          measuring an agent; cmd/mirrorgate-bench compares them
//	configcmd.go      printing what surrounds it, with internal/deploy
//	doctorcmd.go      checking HAProxy's configuration, with internal/doctor
//	probe.go          asking a target what it can, with internal/probe
//	help.go           the reference, with internal/reference; REFERENCE.md is written from it
//	completion.go     what shells complete, with internal/completion
//	version.go        what was built
//
// Tests of the binary from outside are in internal/e2e.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/internal/benchflags"
	_ "github.com/mirrorgate/mirrorgate/cmd/internal/stdlog"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

type cli struct {
	Run         runCmd         `cmd:"" default:"withargs" hidden:"" help:"Mirror what HAProxy sends to the targets."`
	Demo        demoCmd        `cmd:"" help:"Show it at work on this machine, with HAProxy, an old and a new version, and the verdict on it."`
	Config      configCmd      `cmd:"" help:"Print the configuration of HAProxy, systemd, Prometheus or Grafana."`
	Doctor      doctorCmd      `cmd:"" help:"Find what will go wrong with HAProxy's configuration."`
	Probe       probeCmd       `cmd:"" help:"Ask a target what it can, and recommend the --target line."`
	Check       checkCmd       `cmd:"" help:"Check options and configuration file, and show what is in force."`
	Status      statusCmd      `cmd:"" help:"Show what a running mirrorgate does."`
	Verdict     verdictCmd     `cmd:"" help:"Say whether a target is like its reference, with an exit status."`
	Differences differencesCmd `cmd:"" help:"Show examples of how a target differs from its reference."`
	Tune        tuneCmd        `cmd:"" help:"Change a group or a target of a running mirrorgate, for a time."`
	Replay      replayCmd      `cmd:"" help:"Send what was recorded again, at the same pace or faster."`
	Log         logCmd         `cmd:"" help:"Show what is in a recording."`
	Bench       benchCmd       `cmd:"" help:"Measure mirrorgate, or any other SPOP agent."`
	Help        helpCmd        `cmd:"" help:"Explain options, metrics, reasons of drops, and what else the reference has."`
	Completion  completionCmd  `cmd:"" help:"Print what makes a shell complete commands and options."`
	Version     versionCmd     `cmd:"" help:"Print the version."`

	ShowVersion versionFlag `name:"version" help:"Print the version."`
}

// The exit codes besides 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, _, err := parse(os.Args[1:])
	if err == nil {
		err = ctx.Run()
	}
	if status := exitStatus(0); errors.As(err, &status) {
		os.Exit(int(status))
	}
	if err != nil {
		fail(err)
	}
}

// parse reads a command line, the environment and the configuration file.
func parse(args []string) (*kong.Context, *cli, error) {
	var c cli
	ctx, err := newParser(&c).Parse(configFirst(args))
	switch {
	case errors.As(err, new(options.FileError)):
		err = usageError{err}
	case err != nil:
		err = usageError{fmt.Errorf("%w; see mirrorgate --help", err)}
	case hasVariables(ctx.Model, ctx.Selected()):
		if err = unknownVariable(ctx.Selected()); err != nil {
			err = usageError{err}
		}
	}
	return ctx, &c, err
}

// configFirst has check FILE mean check --config FILE: the options are read before
// arguments have their values.
func configFirst(args []string) []string {
	if len(args) > 1 && args[0] == "check" && !strings.HasPrefix(args[1], "-") {
		return slices.Insert(slices.Clone(args), 1, "--config")
	}
	return args
}

func newParser(c *cli) *kong.Kong {
	return kong.Must(c, kong.Name("mirrorgate"), kong.Vars(benchflags.Vars()), options.Groups, kong.PostBuild(nameEnvironment),
		kong.Help(printHelp), kong.ValueFormatter(formatHelp), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
}

// usageError is a mistake of whoever typed the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// fail ends the process with one line that says why, or without it if nobody
// reads the standard error.
func fail(err error) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		fmt.Fprintf(os.Stderr, "mirrorgate: %s\n", options.HideSecrets(strings.ReplaceAll(err.Error(), "\n", " ")))
	}()
	select {
	case <-written:
	case <-time.After(logWait):
	}
	if errors.As(err, new(usageError)) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

// formatHelp puts the default and the variable behind what an option is for.
func formatHelp(value *kong.Value) string {
	var notes []string
	if value.HasDefault {
		notes = append(notes, "default "+cmp.Or(value.Default, `""`))
	}
	for _, env := range value.Tag.Envs {
		notes = append(notes, "$"+env)
	}
	if len(notes) == 0 {
		return value.Help
	}
	return value.Help + " [" + strings.Join(notes, ", ") + "]"
}

// printHelp shows the options of the default command if no other is named.
func printHelp(help kong.HelpOptions, ctx *kong.Context) error {
	run := ctx.Model.DefaultCmd
	if ctx.Selected() != nil && ctx.Selected() != run {
		return kong.DefaultHelpPrinter(help, ctx)
	}
	fmt.Fprint(ctx.Stdout, `Usage: mirrorgate --target [NAME=]URL[,key=value...] [--target ...] [flags]
       mirrorgate COMMAND [flags]

Commands, each with a --help of its own:
`)
	for _, command := range ctx.Model.Leaves(true) {
		fmt.Fprintf(ctx.Stdout, "  %-17s  %s\n", command.Path(), command.Help)
	}
	help.NoAppSummary = true
	ctx.Path = append(ctx.Path, &kong.Path{Command: run})
	return kong.DefaultHelpPrinter(help, ctx)
}
