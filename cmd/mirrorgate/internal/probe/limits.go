package probe

import (
	"context"
	"strings"
)

// The sizes that are tried, in bytes, until one is refused. HAProxy's buffer, of
// 16 KiB unless it is told otherwise, holds line, head and body of what is mirrored.
var (
	lineSizes = []int{2 << 10, 4 << 10, 8 << 10}
	headSizes = []int{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10}
	bodySizes = []int{16 << 10, 64 << 10, 256 << 10, 1 << 20}
)

// limit sends requests of growing size; each has to get the usual status.
func (p *prober) limit(ctx context.Context, sizes []int, usual int, sized func(int) request) Limit {
	l := Limit{Tried: true}
	for _, size := range sizes {
		r, err := p.ask(ctx, sized(size))
		switch {
		case err != nil:
			l.How = problem(err)
		case r.status != usual:
			l.How = r.String()
		default:
			l.Taken = size
			continue
		}
		l.Refused = size
		break
	}
	return l
}

// longLine returns a GET with a request line of so many bytes.
func (o *Options) longLine(size int) request {
	r := request{method: get.method, query: "probe="}
	line := len(r.method + " " + o.target(r.query) + " HTTP/1.1\r\n")
	r.query += strings.Repeat("x", max(0, size-line))
	return r
}

const (
	// fieldLine is the length of the fields that make a head large: servers have
	// limits for the length of one field (8 KiB), and for their number (100), as well.
	fieldLine = 1024
	fieldName = "X-Probe: "
)

// largeHead returns a GET with a head of so many bytes.
func (o *Options) largeHead(size int) request {
	r := request{method: get.method}
	for missing := size - len(r.append(nil, o)); missing > 0; {
		n := min(missing, fieldLine)
		if rest := missing - n; rest > 0 && rest < 2*len(fieldName) {
			n -= 2 * len(fieldName) // so that the last is long enough for its name
		}
		n = max(n, len(fieldName)+len("\r\n"))
		r.fields = append(r.fields, fieldName+strings.Repeat("x", n-len(fieldName)-len("\r\n")))
		missing -= n
	}
	return r
}
