package recordings

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/export"
	"github.com/mirrorgate/mirrorgate/fanout/record"
)

// har writes an archive, entry by entry: a recording may be larger than memory. Of
// responses it knows the status and the time, at best.
type har struct {
	out     *bufio.Writer
	mask    *Mask
	written int
}

// NewHAR writes an HTTP archive, see package export; version is that of this program.
func NewHAR(w io.Writer, m *Mask, version string) Writer {
	h := &har{out: bufio.NewWriter(w), mask: m}
	fmt.Fprintf(h.out, `{"log":{"version":"1.2","creator":{"name":"mirrorgate","version":%q},"entries":[`, version)
	return h
}

func (h *har) write(r *record.Record, q request) error {
	size := len(q.body)
	q, shown := h.mask.apply(q)
	e := export.NewEntry(r.When(), q.export())
	e.Request.BodySize = size
	if !shown {
		e.HideBody("not shown: " + string(q.body))
	}
	if r.Status > 0 {
		e.Respond(r.Status, "", "", float64(max(r.Took, 0)))
	}
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("cannot write request of %s: %w", r.When().Format(time.RFC3339), err)
	}
	if h.written > 0 {
		h.out.WriteByte(',')
	}
	h.written++
	h.out.WriteByte('\n')
	_, err = h.out.Write(text)
	return err
}

func (h *har) end() error {
	h.out.WriteString("\n]}}\n")
	return h.out.Flush()
}
