package console

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// watchEvery is how often Watch asks.
const watchEvery = time.Second

// Show writes what mirrorgates do that run, as one table. The error says what is wrong
// with them, see Trouble.
func Show(ctx context.Context, clients []*admin.Client, out *os.File) error {
	hosts, err := askAll(ctx, clients)
	if err != nil {
		return err
	}
	writeStatus(out, hosts, widthOf(out))
	return trouble(hosts)
}

// ShowJSON is Show for programs: a list with what each says, or why it does not.
func ShowJSON(ctx context.Context, clients []*admin.Client, out io.Writer) error {
	hosts, err := askAll(ctx, clients)
	if err != nil {
		return err
	}
	if err := WriteJSON(out, hosts); err != nil {
		return fmt.Errorf("cannot write the figures: %w", err)
	}
	return trouble(hosts)
}

// Watch shows it every second, in place if out is a terminal, until ctx ends. An error
// means that nothing could be had the first time; later ones are shown.
func Watch(ctx context.Context, clients []*admin.Client, out *os.File) error {
	hosts, err := askAll(ctx, clients)
	if err != nil {
		return err
	}
	screen := newScreen(out)
	screen.open()
	defer screen.close()
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		screen.show(func(w io.Writer) { writeStatus(w, hosts, widthOf(out)) })
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		if hosts, _ = askAll(ctx, clients); ctx.Err() != nil {
			return nil
		}
	}
}
