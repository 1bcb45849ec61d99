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
	case "max", "age", "sync", "mask":
		return t.recordingText(key)
	case "path":
		return strings.Join(t.Paths, listSeparator)
	case "hosts":
		return strings.Join(t.Hosts, listSeparator)
	case "upgrade":
		return strconv.FormatBool(t.Upgrades)
	case "set-header":
		return formatHeaders(t.SetHeaders)
	case "del-header":
		return strings.Join(t.DelHeaders, listSeparator)
	case "rewrite":
		return t.Rewrite.String()
	case "tls-ca":
		return t.TLSFiles.CA
	case "tls-cert":
		return t.TLSFiles.Cert
	case "tls-key":
		return t.TLSFiles.Key
	case "server-name":
		return t.ServerName
	case "against":
		return cmp.Or(t.Against, AgainstProduction)
	case "noise":
		return t.Noise
	}
	panic("BUG: there is no text for the key " + key)
}

// formatHeaders writes headers as parseHeaders reads them.
func formatHeaders(headers []Header) string {
	var all []string
	for _, h := range headers {
		all = append(all, h.Name+":"+EscapeValue(h.Value))
	}
	return strings.Join(all, listSeparator)
}

// EscapeValue writes the value of a header so that it may stand in a target's text.
func EscapeValue(value string) string {
	return strings.NewReplacer("%", "%25", ",", "%2C", "+", "%2B", " ", "%20", "\t", "%09", "\n", "%0A", "\r", "%0D").Replace(value)
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
