package options

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Addresses are those of --listen: repeated, or separated by commas.
type Addresses []string

// Decode adds to what other occurrences of the option gave. The settings of a unix
// socket have commas in front as well, and stay with it.
func (a *Addresses) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("address", &text); err != nil {
		return err
	}
	for word := range strings.SplitSeq(strings.ReplaceAll(text, "\n", ","), ",") {
		word = strings.TrimSpace(word)
		if last := len(*a) - 1; last >= 0 && strings.HasPrefix((*a)[last], "unix:") && isSocketSetting(word) {
			(*a)[last] += "," + word
			continue
		}
		*a = append(*a, word)
	}
	return nil
}

func isSocketSetting(word string) bool {
	key, _, ok := strings.Cut(word, "=")
	return ok && !strings.ContainsAny(key, ":/")
}
