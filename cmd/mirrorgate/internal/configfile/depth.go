package configfile

import "bytes"

// maxLevels bounds how deep lists and mappings may stand in each other: the parser
// takes memory and time by the square of it.
const maxLevels = 100

// tooDeep returns the first line in which something stands deeper than maxLevels,
// 0 if there is none. It goes by indentation, dashes and brackets alone, so that it
// costs one pass; brackets in quotes and comments do not count.
func tooDeep(text []byte) int {
	var s scan
	for i, line := range bytes.Split(text, []byte("\n")) {
		if s.line(line) > maxLevels {
			return i + 1
		}
	}
	return 0
}

type scan struct {
	columns  []int // of the lists and mappings, by indentation, that the line before stands in
	brackets int   // that are open
	quote    byte  // in which a line ended, or 0
}

// line returns the deepest level in the line.
func (s *scan) line(line []byte) (deepest int) {
	at := 0
	if s.quote == 0 && s.brackets == 0 {
		at = s.indentation(line)
	}
	deepest = len(s.columns) + s.brackets
	for ; at < len(line); at++ {
		b := line[at]
		begins := at == 0 || bytes.IndexByte([]byte(" \t[{,:-"), line[at-1]) >= 0
		switch {
		case s.quote == '"' && b == '\\':
			at++
		case s.quote != 0:
			if b == s.quote {
				s.quote = 0
			}
		case begins && (b == '"' || b == '\''):
			s.quote = b
		case begins && b == '#':
			return deepest
		case begins && (b == '[' || b == '{'):
			s.brackets++
			deepest = max(deepest, len(s.columns)+s.brackets)
		case (b == ']' || b == '}') && s.brackets > 0:
			s.brackets--
		}
	}
	return deepest
}

// indentation takes the dashes and the first word of a line, each of which stands
// deeper than what is left of it, and returns where that word begins.
func (s *scan) indentation(line []byte) (at int) {
	for at < len(line) {
		if line[at] == ' ' {
			at++
			continue
		}
		if line[at] == '#' {
			return at
		}
		for len(s.columns) > 0 && s.columns[len(s.columns)-1] >= at {
			s.columns = s.columns[:len(s.columns)-1]
		}
		s.columns = append(s.columns, at)
		if dash := line[at] == '-' || line[at] == '?'; !dash || at+1 < len(line) && line[at+1] != ' ' {
			return at
		}
		at++
	}
	return at
}
