package doctor

import (
	"errors"
	"strings"
)

var errQuote = errors.New("a quote has no end")

// splitWords splits a line as HAProxy does (its configuration manual, section
// 2.2): blanks separate words outside of quotes, # starts a comment there, single
// quotes keep everything, double quotes keep all but variables and escapes.
func splitWords(text string, getenv func(string) string) (words []string, err error) {
	var word strings.Builder
	started := false
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != '\'' && c == '\\' && i+1 < len(text):
			i++
			word.WriteString(unescape(text[i]))
			started = true
		case quote == 0 && (c == '\'' || c == '"'):
			quote, started = c, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == '"' && c == '$':
			value, n := expand(text[i:], getenv)
			word.WriteString(value)
			i += n - 1
		case quote == 0 && c == '#':
			text = text[:i]
		case quote == 0 && (c == ' ' || c == '\t' || c == '\r'):
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	if quote != 0 {
		return words, errQuote
	}
	return words, nil
}

// unescape returns what a backslash in front of c means.
func unescape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case ' ', '#', '\\', '"', '\'', '$':
		return string(c)
	}
	return `\` + string(c)
}

// expand returns the value of the variable at the start of text, $NAME, ${NAME} or
// ${NAME-default}, and the length of its reference in bytes.
func expand(text string, getenv func(string) string) (value string, n int) {
	if strings.HasPrefix(text, "${") {
		inside, _, ok := strings.Cut(text[2:], "}")
		if !ok {
			return text[:1], 1
		}
		name, fallback, _ := strings.Cut(inside, "-")
		name = strings.TrimSuffix(name, "[*]")
		if value = getenv(name); value == "" {
			value = fallback
		}
		return value, len(inside) + 3
	}
	n = 1
	for n < len(text) && (text[n] == '_' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'z' || n > 1 && text[n] >= '0' && text[n] <= '9') {
		n++
	}
	if n == 1 {
		return "$", 1
	}
	return getenv(text[1:n]), n
}
