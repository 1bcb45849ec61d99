package bench

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

const progressEvery = 200 * time.Millisecond

// progress is the bar on a terminal while a load runs.
type progress struct {
	quit chan struct{}
	done sync.WaitGroup
}

// showProgress draws on w, or nothing if w is nil.
func showProgress(w io.Writer, g *Generator) *progress {
	p := &progress{quit: make(chan struct{})}
	if w == nil {
		return p
	}
	bar := progressbar.NewOptions64(int64(g.load.end()/time.Millisecond),
		progressbar.OptionSetWriter(w), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30), progressbar.OptionSetPredictTime(false))
	p.done.Go(func() { p.draw(bar, g) })
	return p
}

// draw has no use for the errors of a terminal.
func (p *progress) draw(bar *progressbar.ProgressBar, g *Generator) {
	start := time.Now()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	var before uint64
	for {
		select {
		case <-p.quit:
			_ = bar.Finish()
			return
		case <-ticker.C:
			_, acked := g.Progress()
			bar.Describe(fmt.Sprintf("%8.0f ACKs/s", float64(acked-before)/progressEvery.Seconds()))
			before = acked
			_ = bar.Set64(min(int64(time.Since(start)/time.Millisecond), bar.GetMax64()-1))
		}
	}
}

func (p *progress) stop() {
	close(p.quit)
	p.done.Wait()
}
