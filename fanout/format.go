package fanout

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Text returns the value of a key as ParseTarget would read it. The key must be
// one of TargetKeys. The text is empty if there is no value.
func (t *TargetConfig) Text(key string) string {
	switch key {
	case "group":
		return t.groupName()
	case "weight":
		return strconv.Itoa(t.Weight)
	case "sample":
		return FormatShare(t.Sample)
	case "rate":
		return FormatRate(t.Rate)
	case "conns":
		return strconv.Itoa(t.Conns)
	case "batch":
		if t.Batch == 0 {
			return ""
		}
		return strconv.Itoa(t.Batch)
	case "http":
		return t.HTTP.String()
	case "queue":
		return strconv.Itoa(t.Queue)
	case "drop":
		return t.Drop.String()
	case "timeout":
		return t.Timeout.String()
	case "max-age":
		return t.MaxAge.String()
	case "host":
		return t.Host
	case "methods":
		return formatMethods(t.Methods)
	case "max", "age", "sync":
		return t.recordingText(key)
	case "against":
		return cmp.Or(t.Against, AgainstProduction)
	case "noise":
		return t.Noise
	}
	panic("BUG: there is no text for the key " + key)
}

// FormatShare writes a share as ParseShare reads it.
func FormatShare(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e10)/1e8, 'f', -1, 64) + "%"
}

// FormatRate writes a rate as ParseRate reads it.
func FormatRate(rate float64) string {
	if rate == 0 {
		return "none"
	}
	return strconv.FormatFloat(rate, 'f', -1, 64) + "/s"
}

// formatMethods writes methods as ParseMethods reads them.
func formatMethods(methods []string) string {
	if len(methods) == 0 {
		return "all"
	}
	return strings.Join(methods, "+")
}
