package main

import (
	"slices"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout"
)

// safeMethods do not change anything (RFC 9110 section 9.2.1).
var safeMethods = []string{"GET", "HEAD", "OPTIONS", "TRACE"}

// comparing returns a line for each target that is compared with another one: with
// which, and what of the mirrored requests will change data there.
func comparing(all []fanout.Compared) (lines []string) {
	for _, c := range all {
		if c.Against == fanout.AgainstProduction {
			continue
		}
		copies := []string{c.Target, c.Against}
		line := "comparing " + c.Target + " with " + c.Against
		if c.Noise != "" {
			line += ", and " + c.Noise + " for noise"
			copies = append(copies, c.Noise)
		}
		switch writes := slices.DeleteFunc(slices.Clone(c.Methods), func(m string) bool { return slices.Contains(safeMethods, m) }); {
		case len(c.Methods) == 0:
			line += ": all methods, POST, PUT, PATCH and DELETE too: " + strings.Join(copies, ", ") + " will write"
		case len(writes) > 0:
			line += ": " + strings.Join(c.Methods, ", ") + ": " + strings.Join(copies, ", ") + " will write"
		default:
			line += ": " + strings.Join(c.Methods, ", ")
		}
		lines = append(lines, line)
	}
	return lines
}
