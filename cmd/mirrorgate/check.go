package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/VictoriaMetrics/metrics"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/engine"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// checkCmd has the options of the default command.
type checkCmd struct{ runCmd }

// Help is what --help shows above the options.
func (*checkCmd) Help() string {
	return `Reads the same flags, environment and configuration file as a start would, and checks all that can be checked without binding an address or connecting anywhere. What is in force is printed as a configuration file, with where each value comes from; values of headers are hidden. Exit status 2 says that something is wrong.

    mirrorgate check --config /etc/mirrorgate.yml`
}

// Run prints what is in force, or returns what is wrong.
func (c *checkCmd) Run() error {
	cfg, err := c.validate()
	if err != nil {
		return usageError{err}
	}
	c.sheet(cfg.Targets).write(os.Stdout)
	return nil
}

// validate returns the error that a start would, as far as it shows beforehand.
func (r *runCmd) validate() (fanout.Config, error) {
	cfg, err := r.fanoutConfig(metrics.NewSet(), slog.New(slog.DiscardHandler))
	if err != nil {
		return cfg, err
	}
	token, err := readToken(r.AdminTokenFile)
	if err != nil {
		return cfg, r.origins.locate(err, nil)
	}
	a := admin.Config{Address: r.Admin, Token: token}
	if err := a.Validate(); err != nil {
		return cfg, r.origins.locate(fmt.Errorf("--admin: %w", err), nil)
	}
	for _, addr := range r.Listen {
		if err := engine.CheckAddress(addr); err != nil {
			return cfg, r.origins.locate(fmt.Errorf("--listen: %w", err), nil)
		}
	}
	return cfg, nil
}
