package recordings

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/record"
)

type curl struct {
	out  *bufio.Writer
	mask *Mask
}

// NewCurl writes a command of curl a line, for bash.
func NewCurl(w io.Writer, m *Mask) Writer { return &curl{bufio.NewWriter(w), m} }

func (c *curl) write(r *record.Record, q request) error {
	q, shown := c.mask.apply(q)
	line := "curl -X " + quote(q.method)
	if string(q.method) == "HEAD" {
		line = "curl -I"
	}
	for field := range bytes.SplitSeq(bytes.TrimSuffix(q.header, crlf), crlf) {
		name, value, ok := bytes.Cut(field, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case !ok || strings.EqualFold(string(name), "content-length"): // curl counts itself
		case len(value) == 0:
			line += " -H " + quote(append(bytes.Clone(name), ';'))
		default:
			line += " -H " + quote(field)
		}
	}
	switch {
	case len(q.body) > 0 && shown:
		line += " --data-binary " + quote(q.body)
	case len(q.body) > 0:
		q.body = append(append([]byte(" # without its body: "), q.body...), ", see --unmask"...)
	}
	line += " " + quote(urlOf(&q))
	if !shown {
		line += string(q.body)
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

func (c *curl) end() error { return c.out.Flush() }

// urlOf is where the request went, as far as it says so.
func urlOf(q *request) []byte {
	host := q.field("host")
	if host == nil {
		host = []byte("localhost")
	}
	return append(append([]byte("http://"), host...), q.target...)
}

// quote quotes a text for bash, so that it stays one line.
func quote(text []byte) string {
	plain := true
	for _, c := range text {
		plain = plain && c >= ' ' && c <= '~' && c != '\''
	}
	if plain {
		return "'" + string(text) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range text {
		switch {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= ' ' && c <= '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
