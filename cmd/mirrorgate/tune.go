package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// adminFlags say where a running mirrorgate is asked.
type adminFlags struct {
	Admin          string `default:"127.0.0.1:12346" placeholder:"ADDRESS" env:"MIRRORGATE_ADMIN" help:"Where the running mirrorgate has its admin server."`
	AdminTokenFile string `placeholder:"FILE" env:"MIRRORGATE_ADMIN_TOKEN_FILE" help:"File with the token that it asks for."`
}

var errNoAdmin = errors.New("--admin is empty: without an admin server a running mirrorgate cannot be asked")

func (f adminFlags) client() (*admin.Client, error) {
	if f.Admin == "" {
		return nil, usageError{errNoAdmin}
	}
	token, err := options.ReadToken(f.AdminTokenFile)
	if err != nil {
		return nil, usageError{err}
	}
	return admin.NewClient(f.Admin, token), nil
}

// asked tells mistakes of whoever typed the question from failures.
func asked(err error) error {
	if errors.As(err, new(*admin.RefusedError)) {
		return usageError{err}
	}
	return err
}

type tuneCmd struct {
	adminFlags
	Name     string   `arg:"" help:"Group or target."`
	Settings []string `arg:"" name:"setting=value" help:"sample=2% of a group; rate=200/s, weight=3, paused=true of a target; and for=10m to have it revert."`
}

// Help is what --help shows above the options.
func (*tuneCmd) Help() string {
	return `A change takes effect at once and loses no request. It is in force for the time that for= says, else until the configuration is read again.

    mirrorgate tune v2 sample=2% for=10m
    mirrorgate tune staging rate=200/s
    mirrorgate tune a paused=true`
}

// The settings by whose they are. A target without a group is a group too, so
// that its name alone does not tell.
var (
	groupSettings  = []string{"sample"}
	targetSettings = []string{"rate", "weight", "paused"}
)

// Run asks for the changes and prints what came of them.
func (c *tuneCmd) Run() error {
	settings, err := c.settings()
	if err != nil {
		return usageError{fmt.Errorf("tune: %w", err)}
	}
	client, err := c.client()
	if err != nil {
		return err
	}
	tune := client.TuneTarget
	if hasAny(settings, groupSettings) {
		tune = client.TuneGroup
	}
	tuned, err := tune(context.Background(), c.Name, settings)
	if err != nil {
		return asked(err)
	}
	for _, change := range tuned.Changes {
		fmt.Printf("%s: %s %s → %s, %s\n", tuned.Name, change.Setting, change.Old, change.New, howLong(tuned.Until, settings["for"]))
	}
	return nil
}

func howLong(until *time.Time, d string) string {
	if until == nil {
		return "until the configuration is read again"
	}
	return fmt.Sprintf("for %s, until %s", d, until.Local().Format(time.DateTime))
}

// settings reads the arguments.
func (c *tuneCmd) settings() (map[string]string, error) {
	known := slices.Concat(groupSettings, targetSettings, []string{"for"})
	settings := map[string]string{}
	for _, text := range c.Settings {
		key, value, ok := strings.Cut(text, "=")
		switch _, twice := settings[key]; {
		case !ok:
			return nil, fmt.Errorf("%q should be SETTING=VALUE, like sample=2%%", text)
		case !slices.Contains(known, key):
			return nil, fmt.Errorf("unknown setting %q, should be one of %s", key, strings.Join(known, ", "))
		case twice:
			return nil, fmt.Errorf("%s is given twice", key)
		}
		settings[key] = value
	}
	switch {
	case hasAny(settings, groupSettings) && hasAny(settings, targetSettings):
		return nil, fmt.Errorf("sample belongs to a group, %s to a target: tune them one after the other", strings.Join(targetSettings, ", "))
	case !hasAny(settings, groupSettings) && !hasAny(settings, targetSettings):
		return nil, fmt.Errorf("there is nothing to change: give one of %s", strings.Join(known[:len(known)-1], ", "))
	}
	return settings, nil
}

func hasAny(settings map[string]string, keys []string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(settings)), func(key string) bool { return slices.Contains(keys, key) })
}
