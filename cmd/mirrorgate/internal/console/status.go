package console

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
)

// watchEvery is how often Watch asks.
const watchEvery = time.Second

// Show writes what a running mirrorgate does.
func Show(ctx context.Context, client *admin.Client, out *os.File) error {
	stats, err := client.Stats(ctx)
	if err != nil {
		return err
	}
	writeStatus(out, client.Address(), stats)
	return nil
}

// Watch shows it every second, in place if out is a terminal, until ctx ends. An
// error means that it could not be had the first time; later ones are shown.
func Watch(ctx context.Context, client *admin.Client, out *os.File) error {
	stats, err := client.Stats(ctx)
	if err != nil {
		return err
	}
	screen := newScreen(out)
	screen.open()
	defer screen.close()
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		screen.show(func(w io.Writer) {
			if err != nil {
				fmt.Fprintln(w, strings.ReplaceAll(err.Error(), "; ", ";\n"))
				return
			}
			writeStatus(w, client.Address(), stats)
		})
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		if stats, err = client.Stats(ctx); ctx.Err() != nil {
			return nil
		}
	}
}
