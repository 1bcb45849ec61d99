package export

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Curl returns a command of curl, for bash, that sends the request again: one line,
// and nothing in it means more to curl than it says, as [1] in a URL or @FILE as a body
// would. Fields that curl sets itself are left out, and so is the body of a HEAD, which
// curl does not send.
func Curl(r *Request) string {
	words := []string{"curl -sS -i -g --path-as-is"}
	body := r.Body
	switch {
	case r.Method == "HEAD":
		words, body = append(words, "--head"), ""
	case r.Method != "GET" || body != "":
		words = append(words, "-X", quote(r.Method))
	}
	words = append(words, quote(r.URL))
	for _, f := range Fields(r.Header) {
		switch strings.ToLower(f.Name) {
		case "content-length", "connection", "transfer-encoding", "expect":
		case "accept-encoding":
			words = append(words, "--compressed")
		default:
			line := f.Name + ": " + f.Value
			if f.Value == "" {
				line = f.Name + ";" // with a colon curl would send no such field
			}
			words = append(words, "-H", quote(line))
		}
	}
	if body != "" {
		words = append(words, "--data-raw", quote(body))
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
