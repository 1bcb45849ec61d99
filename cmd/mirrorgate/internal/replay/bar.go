package replay

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Bar shows how far a replay is.
type Bar struct{ bar *progressbar.ProgressBar }

// NewBar returns a Bar for so many bytes of recording.
func NewBar(w io.Writer, all int64) *Bar {
	return &Bar{progressbar.NewOptions64(all,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("replaying"),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(40),
		progressbar.OptionShowBytes(true),
		progressbar.OptionClearOnFinish(),
	)}
}

// Set shows that so many bytes are done.
func (b *Bar) Set(done int64) { b.bar.Set64(done) }

// Close removes the bar.
func (b *Bar) Close() { b.bar.Finish() }
