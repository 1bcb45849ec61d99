package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// Settings are those that are to change, with their new values, by name.
type Settings map[string]string

// The settings by whose they are. A target without a group is a group too, so
// that its name alone does not tell.
var (
	groupSettings  = []string{"sample"}
	targetSettings = []string{"rate", "weight", "paused"}
)

// ParseSettings reads texts like sample=2%. They may be a group's or a target's,
// not both.
func ParseSettings(texts []string) (Settings, error) {
	known := slices.Concat(groupSettings, targetSettings, []string{"for"})
	settings := Settings{}
	for _, text := range texts {
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
	case settings.haveAny(groupSettings) && settings.haveAny(targetSettings):
		return nil, fmt.Errorf("sample belongs to a group, %s to a target: tune them one after the other", strings.Join(targetSettings, ", "))
	case !settings.haveAny(groupSettings) && !settings.haveAny(targetSettings):
		return nil, fmt.Errorf("there is nothing to change: give one of %s", strings.Join(known[:len(known)-1], ", "))
	}
	return settings, nil
}

func (s Settings) haveAny(keys []string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { _, ok := s[key]; return ok })
}

// Tune asks each mirrorgate for the changes to the group or target and writes what came
// of them. Where one fails, the others are asked all the same.
func (s Settings) Tune(ctx context.Context, clients []*admin.Client, name string, w io.Writer) error {
	var failed []error
	for _, client := range clients {
		at := ""
		if len(clients) > 1 {
			at = client.Address() + ": "
		}
		if err := s.tune(ctx, client, name, at, w); err != nil {
			failed = append(failed, fmt.Errorf("%s%w", at, err))
		}
	}
	return errors.Join(failed...)
}

func (s Settings) tune(ctx context.Context, client *admin.Client, name, at string, w io.Writer) error {
	tune := client.TuneTarget
	if s.haveAny(groupSettings) {
		tune = client.TuneGroup
	}
	tuned, err := tune(ctx, name, s)
	if err != nil {
		return err
	}
	for _, change := range tuned.Changes {
		line := fmt.Sprintf("%s%s: %s %s → %s, %s", at, tuned.Name, change.Setting, change.Old, change.New, howLong(tuned.Until, s["for"]))
		fmt.Fprintln(w, admin.Printable(line))
	}
	return nil
}

func howLong(until *time.Time, d string) string {
	if until == nil {
		return "until the configuration is read again"
	}
	return fmt.Sprintf("for %s, until %s", d, until.Local().Format(time.DateTime))
}
