package options

import (
	"reflect"
	"slices"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout"
)

// reloadable reports whether the option follows a reload: targets, what applies
// to all of them, and what is done to requests. The others are for the whole
// life of the process.
func reloadable(option string) bool {
	switch option {
	case targetOption, "sample-by", "set-header", "del-header", "truncated", "forwarded-for", "trace",
		"ignore", "route", "compare-body", "compare-cpu", "warmup", "examples", "mask", "unmask":
		return true
	}
	return slices.Contains(fanout.TargetKeys(), option) && !strings.HasPrefix(option, "tls-") // those of a target are
}

// Keep takes the options that do not follow a reload from those of the start,
// and returns the names of those that differ.
func (o *Options) Keep(started *Options) (differ []string) {
	for i, flag := range o.sources.flags {
		old := started.sources.flags[i]
		if reloadable(flag.Name) || reflect.DeepEqual(flag.Target.Interface(), old.Target.Interface()) {
			continue
		}
		differ = append(differ, flag.Name)
		flag.Target.Set(old.Target)
	}
	return differ
}
