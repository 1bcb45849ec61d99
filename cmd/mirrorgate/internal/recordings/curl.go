package recordings

import (
	"bufio"
	"fmt"
	"io"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/export"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

type curl struct {
	out  *bufio.Writer
	mask *Mask
}

// NewCurl writes a command of curl a line, for bash, see package export.
func NewCurl(w io.Writer, m *Mask) Writer { return &curl{bufio.NewWriter(w), m} }

func (c *curl) write(_ *record.Record, q request) error {
	q, shown := c.mask.apply(q)
	r, comment := q.export(), ""
	if !shown {
		r.Body, comment = "", " # without its body: "+string(q.body)+", see --unmask"
	}
	_, err := fmt.Fprintln(c.out, export.Curl(r)+comment)
	return err
}

func (c *curl) end() error { return c.out.Flush() }
