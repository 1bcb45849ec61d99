package difference

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mirrorgate/mirrorgate/fanout/compare/example"
)

// curl returns a command that sends the request again. Fields that curl sets itself
// are left out.
func curl(url string, e *example.Example) string {
	words := []string{"curl -sS -i --path-as-is"}
	switch {
	case e.Method == "HEAD":
		words = append(words, "--head")
	case e.Method != "GET" || e.Body != "":
		words = append(words, "-X", quote(e.Method))
	}
	words = append(words, quote(url))
	for _, f := range fieldsOf(e.Header) {
		switch strings.ToLower(f.name) {
		case "content-length", "connection", "transfer-encoding", "expect":
		case "accept-encoding":
			words = append(words, "--compressed")
		default:
			words = append(words, "-H", quote(f.line))
		}
	}
	if e.Body != "" {
		words = append(words, "--data-binary", quote(e.Body))
	}
	return strings.Join(words, " ")
}

// quote writes a word for a shell. What is not printed is escaped, as bash and others
// read it, so that a command that is pasted does what it looks like.
func quote(word string) string {
	if !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for word != "" {
		r, n := utf8.DecodeRuneInString(word)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteString(word[:n])
		default:
			for _, c := range []byte(word[:n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		}
		word = word[n:]
	}
	return b.String() + "'"
}
