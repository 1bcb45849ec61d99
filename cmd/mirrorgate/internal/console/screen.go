package console

import (
	"fmt"
	"io"
	"os"
	"slices"
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
	width, height := sizeOf(s.file)
	io.WriteString(s.file, home+fit(text.String(), width, height-1)+clearBelow)
}

// sizeOf returns the columns and lines of a terminal, and what is usual for one that
// does not know its size, and for what is none.
func sizeOf(file *os.File) (width, height int) {
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil || width == 0 || height == 0 {
		return 80, 24
	}
	return width, height
}

func widthOf(file *os.File) int {
	width, _ := sizeOf(file)
	return width
}

// fit cuts a text to the size of the screen, and says so.
func fit(text string, width, height int) string {
	var b strings.Builder
	lines := slices.Collect(strings.Lines(text))
	if more := len(lines) - height; more > 0 {
		lines = append(lines[:height-1], fmt.Sprintf("… %d more lines: make the terminal larger\n", more+1))
	}
	for _, line := range lines {
		if runes := []rune(strings.TrimSuffix(line, "\n")); len(runes) > width {
			line = string(runes[:width-1]) + "…\n"
		}
		b.WriteString(strings.TrimSuffix(line, "\n") + clearLine + "\r\n")
	}
	return b.String()
}
