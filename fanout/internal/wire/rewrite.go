package wire

import (
	"bytes"
	"fmt"
	"strings"
)

// Rewrite replaces the beginning of the path of a request; the zero value nothing.
type Rewrite struct{ From, To string }

// ParseRewrite reads FROM=TO, such as /api/=/v2/api/.
func ParseRewrite(text string) (Rewrite, error) {
	from, to, ok := strings.Cut(text, "=")
	r := Rewrite{from, to}
	if !ok {
		return r, fmt.Errorf("rewrite is %q, should be FROM=TO, like /api/=/v2/api/", text)
	}
	return r, r.validate()
}

// String writes it as ParseRewrite reads it.
func (r Rewrite) String() string {
	if r == (Rewrite{}) {
		return ""
	}
	return r.From + "=" + r.To
}

func (r Rewrite) validate() error {
	if r == (Rewrite{}) {
		return nil
	}
	for _, path := range []string{r.From, r.To} {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") || !ValidPath([]byte(path)) {
			return fmt.Errorf("rewrite is %q, should be of paths, like /api/=/v2/api/", r.String())
		}
	}
	return nil
}

// appendPath appends the path of a request, rewritten if it begins so.
func (r *Rules) appendPath(dst, path []byte) []byte {
	if len(path) == 0 || path[0] == '?' {
		dst = append(dst, '/')
	}
	rewrite := &r.options.Rewrite
	if rest, ok := bytes.CutPrefix(path, []byte(rewrite.From)); ok && rewrite.From != "" {
		dst, path = append(dst, rewrite.To...), rest
	}
	return append(dst, path...)
}
