package export

import (
	"net/url"
	"strings"
)

// Request is a request to be sent again elsewhere.
type Request struct {
	Method string
	URL    string // absolute
	Header string // field lines, each with its end
	Body   string
}

// Pair is a name and its value, as a HAR file has fields and parameters.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Fields splits a header section into its fields; it is never nil.
func Fields(header string) []Pair {
	all := []Pair{}
	for line := range strings.Lines(header) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			all = append(all, Pair{name, strings.TrimSpace(value)})
		}
	}
	return all
}

// Field returns the value of the first field of that name, whatever its case.
func Field(header, name string) string {
	for _, f := range Fields(header) {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// query returns the parameters of a URL; what is no escape stays as it is.
func query(target string) []Pair {
	all := []Pair{}
	_, query, _ := strings.Cut(target, "?")
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			name, value, _ := strings.Cut(part, "=")
			all = append(all, Pair{unescaped(name), unescaped(value)})
		}
	}
	return all
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}
