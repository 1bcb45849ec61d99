package console

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// screen shows one text after the other: in place on a terminal, else below each
// other.
type screen struct {
	file  *os.File
	place bool // it is a terminal
	shown bool
}

func newScreen(file *os.File) *screen {
	return &screen{file: file, place: term.IsTerminal(int(file.Fd()))}
}

// The escape sequences (ECMA-48) that every terminal of today knows.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearAll   = "\x1b[2J"
	home       = "\x1b[H"
	clearLine  = "\x1b[K" // to its end
	clearBelow = "\x1b[J"
)

func (s *screen) open() {
	if s.place {
		io.WriteString(s.file, hideCursor+clearAll)
	}
}

func (s *screen) close() {
	if s.place {
		io.WriteString(s.file, showCursor)
	}
}

// show writes a text in one go, so that nothing flickers; what does not fit on a
// terminal is cut.
func (s *screen) show(write func(io.Writer)) {
	var text strings.Builder
	write(&text)
	if !s.place {
		if s.shown {
			io.WriteString(s.file, "\n")
		}
		s.shown = true
		io.WriteString(s.file, text.String())
		return
	}
	width, height, err := term.GetSize(int(s.file.Fd()))
	if err != nil || width == 0 || height == 0 { // one that does not know its size
		width, height = 80, 24
	}
	io.WriteString(s.file, home+fit(text.String(), width, height-1)+clearBelow)
}

// fit cuts a text to the size of the screen.
func fit(text string, width, height int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if height--; height < 0 {
			break
		}
		if runes := []rune(strings.TrimSuffix(line, "\n")); len(runes) > width {
			line = string(runes[:width-1]) + "…\n"
		}
		b.WriteString(strings.TrimSuffix(line, "\n") + clearLine + "\r\n")
	}
	return b.String()
}
