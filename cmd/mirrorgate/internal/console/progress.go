package console

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/fanout/compare/verdict"
)

// progressEvery is how often Progress writes a line where none can be replaced.
const progressEvery = 30 * time.Second

// Progress shows whoever waits for a verdict what is known: on a terminal in one
// line, in place, else in a line now and then.
type Progress struct {
	file  *os.File
	place bool
	last  time.Time
}

// NewProgress returns a Progress that writes to file.
func NewProgress(file *os.File) *Progress {
	return &Progress{file: file, place: term.IsTerminal(int(file.Fd())), last: time.Now()}
}

// Show shows what is known now.
func (p *Progress) Show(v *verdict.Verdict) {
	text := admin.Printable(v.Sentence)
	if p.place {
		width, _, err := term.GetSize(int(p.file.Fd()))
		if err != nil || width < 2 {
			width = 80
		}
		if runes := []rune(text); len(runes) >= width {
			text = string(runes[:width-2]) + "…"
		}
		io.WriteString(p.file, "\r"+text+clearLine)
		return
	}
	if now := time.Now(); now.Sub(p.last) >= progressEvery {
		p.last = now
		io.WriteString(p.file, text+"\n")
	}
}

// Close takes the line off the terminal.
func (p *Progress) Close() {
	if p.place {
		io.WriteString(p.file, "\r"+clearLine)
	}
}
