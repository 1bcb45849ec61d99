package bench

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const progressEvery = 200 * time.Millisecond

// progress is the line on a terminal while a load runs.
type progress struct {
	quit chan struct{}
	done sync.WaitGroup
}

// showProgress writes to w, or nothing if w is nil.
func showProgress(w io.Writer, g *Generator) *progress {
	p := &progress{quit: make(chan struct{})}
	if w != nil {
		p.done.Go(func() { p.draw(w, g) })
	}
	return p
}

// draw has no use for the errors of a terminal.
func (p *progress) draw(w io.Writer, g *Generator) {
	const clearLine = "\r\x1b[K"
	start := time.Now()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	var before uint64
	for {
		select {
		case <-p.quit:
			fmt.Fprint(w, clearLine)
			return
		case <-ticker.C:
			_, acked := g.Progress()
			fmt.Fprintf(w, "%s%.1f s of %s  %.0f ACKs/s", clearLine,
				time.Since(start).Seconds(), g.load.end(), float64(acked-before)/progressEvery.Seconds())
			before = acked
		}
	}
}

func (p *progress) stop() {
	close(p.quit)
	p.done.Wait()
}
