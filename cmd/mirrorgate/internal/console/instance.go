package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// instance is what one mirrorgate says, or why it does not.
type instance struct {
	address string
	stats   admin.Stats
	err     error
}

// MarshalJSON writes the figures, or the error.
func (h instance) MarshalJSON() ([]byte, error) {
	if h.err != nil {
		return json.Marshal(struct {
			Admin string `json:"admin"`
			Error string `json:"error"`
		}{h.address, h.err.Error()})
	}
	return json.Marshal(struct {
		Admin string      `json:"admin"`
		Stats admin.Stats `json:"stats"`
	}{h.address, h.stats})
}

// askAll asks all at once. The error is that of the first if none could be had, or if
// one refuses the question.
func askAll(ctx context.Context, clients []*admin.Client) ([]instance, error) {
	hosts := make([]instance, len(clients))
	var asking sync.WaitGroup
	for i, client := range clients {
		asking.Go(func() {
			stats, err := client.Stats(ctx)
			hosts[i] = instance{client.Address(), stats, err}
		})
	}
	asking.Wait()
	reached := false
	for _, h := range hosts {
		switch {
		case !errors.As(h.err, new(*admin.RefusedError)):
		case len(hosts) == 1:
			return hosts, h.err
		default:
			return hosts, fmt.Errorf("%s: %w", h.address, h.err)
		}
		reached = reached || h.err == nil
	}
	if !reached {
		return hosts, hosts[0].err
	}
	return hosts, nil
}

// expected are the reasons of drops that somebody asked for.
var expected = map[string]bool{"paused": true, "rate": true}

// trouble is an error if a host could not be reached, if a breaker is open, or if a
// target drops for a reason that nobody asked for.
func trouble(hosts []instance) error {
	var all []string
	for _, h := range hosts {
		if h.err != nil {
			all = append(all, h.err.Error())
			continue
		}
		for _, g := range h.stats.Groups {
			for _, t := range g.Targets {
				drops := 0.0
				for reason, rate := range t.DropRate {
					if !expected[reason] {
						drops += rate
					}
				}
				switch {
				case t.BreakerOpen:
					all = append(all, fmt.Sprintf("%s: the breaker of %s is open", h.address, t.Name))
				case drops > 0:
					all = append(all, fmt.Sprintf("%s: %s drops %s/s", h.address, t.Name, shortCount(drops)))
				}
			}
		}
	}
	if len(all) > 0 {
		return errors.New(admin.Printable(strings.Join(all, ", ")))
	}
	return nil
}
