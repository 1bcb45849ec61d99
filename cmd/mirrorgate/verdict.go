package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/console"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// verdictCmd says whether a target is like its reference.
type verdictCmd struct {
	adminFlags
	Target    string           `arg:"" help:"The target that is judged: one that has against=."`
	Tolerance string           `default:"0.1%" placeholder:"SHARE" help:"What share of the pairs may differ, beyond noise: 0.1% or 0.001."`
	Latency   string           `placeholder:"RULE" help:"How much slower a quantile may be, as p99+10% (default: latency does not count)."`
	Wait      options.Duration `placeholder:"TIME" help:"Wait up to this long for the verdict to be known, like 30m."`
	Fresh     bool             `help:"Judge only what comes from now on, as after a new deployment."`
	JSON      bool             `name:"json" help:"Print the verdict as JSON."`
}

// Help is what --help shows above the options.
func (*verdictCmd) Help() string {
	return `It compares what a target made of the mirrored requests with what its reference made of the same ones, and says in one sentence whether they are alike. Exit status 0: alike, 1: it differs, 3: too early to say, with how many more requests it takes, 2: wrong use, a target that is unknown or not compared, or no admin server there.

    mirrorgate verdict v2
    mirrorgate verdict v2 --tolerance 0.1% --latency p99+10% --wait 30m
    mirrorgate verdict v2 --fresh --wait 30m --admin a:12346,b:12346`
}

// exitStatus ends the process with this status, after all has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

var verdictStatus = map[string]error{
	verdict.Alike:   nil,
	verdict.Differs: exitStatus(1),
	verdict.NotYet:  exitStatus(3),
}

// Run prints the verdict. Whatever keeps it from being asked for is wrong use, since 1
// says that the target differs.
func (c *verdictCmd) Run() error {
	v, err := c.judge()
	if err != nil {
		return usageError{err}
	}
	if c.JSON {
		err = console.WriteJSON(os.Stdout, v)
	} else {
		err = errors.Join(console.WriteVerdict(os.Stdout, v), console.WriteNext(os.Stdout, v, c.given()))
	}
	if err != nil {
		return usageError{err}
	}
	return verdictStatus[v.Verdict]
}

func (c *verdictCmd) judge() (*verdict.Verdict, error) {
	rule, err := verdict.ParseRule(c.Tolerance, c.Latency)
	if err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	clients, err := c.clients()
	if err != nil {
		return nil, err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	progress := console.NewProgress(os.Stderr)
	defer progress.Close()
	q := console.Question{Target: c.Target, Rule: rule, Wait: time.Duration(c.Wait), Fresh: c.Fresh}
	return console.Judge(ctx, clients, q, progress.Show)
}
