package recordings

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// Source is where records come from.
type Source interface {
	Next() ([]record.Record, error) // which are the Source's until the next call; io.EOF at the end
}

// Writer writes one request after the other in some form.
type Writer interface {
	write(r *record.Record, q request) error
	end() error
}

// Write writes all wanted requests of a source.
func Write(from Source, f *Filter, w Writer) error {
	for {
		records, err := from.Next()
		if errors.Is(err, io.EOF) {
			return w.end()
		}
		if err != nil {
			return err
		}
		for i := range records {
			if q := parse(&records[i]); f.wants(&records[i], &q) {
				if err := w.write(&records[i], q); err != nil {
					return err
				}
			}
		}
	}
}

// timeLayout is that of the texts for people, in local time.
const timeLayout = "2006-01-02 15:04:05.000"

// list writes a line a request.
type list struct {
	out  *bufio.Writer
	mask *Mask
}

// NewList writes a line a request: time, status, milliseconds, bytes of the body,
// client, id, method and target.
func NewList(w io.Writer, m *Mask) Writer { return &list{bufio.NewWriter(w), m} }

func (l *list) write(r *record.Record, q request) error {
	masked, _ := l.mask.apply(request{method: q.method, target: q.target})
	status, took, client, id := "-", "-", "-", "-"
	if r.Status > 0 {
		status, _ = statusOf(r.Status)
	}
	if r.Took >= 0 {
		took = fmt.Sprintf("%dms", r.Took)
	}
	if r.Client.IsValid() {
		client = r.Client.String()
	}
	if len(r.ID) > 0 {
		id = string(r.ID)
	}
	_, err := fmt.Fprintln(l.out, admin.Printable(fmt.Sprintf("%s  %3s  %6s  %6d  %s  %s  %s %s",
		r.When().Format(timeLayout), status, took, len(q.body), client, id, masked.method, masked.target)))
	return err
}

func (l *list) end() error { return l.out.Flush() }

// whole writes the requests themselves.
type whole struct {
	out      *bufio.Writer
	mask     *Mask
	terminal bool
}

// NewCat writes the requests, each with a line in front that says when it arrived. Of
// a body that cannot be masked it writes how long it is. A terminal gets nothing that
// it would obey.
func NewCat(w io.Writer, m *Mask, terminal bool) Writer {
	return &whole{bufio.NewWriter(w), m, terminal}
}

func (c *whole) write(r *record.Record, q request) error {
	q, _ = c.mask.apply(q)
	status, _ := statusOf(r.Status)
	fmt.Fprintf(c.out, "### %s, production's status %s", r.When().Format(time.RFC3339Nano), status)
	if r.Took >= 0 {
		fmt.Fprintf(c.out, " in %d ms", r.Took)
	}
	if r.Client.IsValid() {
		fmt.Fprintf(c.out, ", from %v", r.Client)
	}
	if len(r.ID) > 0 {
		fmt.Fprintf(c.out, ", id %s", admin.Printable(string(r.ID)))
	}
	text := fmt.Sprintf("\n%s %s HTTP/1.1\r\n%s\r\n%s", q.method, q.target, q.header, q.body)
	if c.terminal {
		lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
		for i, line := range lines {
			lines[i] = admin.Printable(line)
		}
		text = strings.Join(lines, "\n")
	}
	c.out.WriteString(text)
	if len(q.body) > 0 {
		c.out.WriteByte('\n')
	}
	_, err := c.out.WriteString("\n")
	return err
}

func (c *whole) end() error { return c.out.Flush() }
