package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/configfile"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// origins knows where the values of the options come from. The command line goes
// over the environment, and that over the file.
type origins struct {
	options []*kong.Flag
	given   map[string]bool  // on the command line, by name
	file    *configfile.File // nil: none
}

// variable returns the name of the variable that sets the option, if one does.
func variable(flag *kong.Flag) string {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return name
		}
	}
	return ""
}

// fromFile returns what the file says of the option, if that is in force.
func (o *origins) fromFile(name string) (option configfile.Option, ok bool) {
	if o.file == nil || o.given[name] {
		return option, false
	}
	for _, flag := range o.options {
		if flag.Name == name && variable(flag) != "" {
			return option, false
		}
	}
	option, ok = o.file.Options[name]
	return option, ok
}

// of says where value i of the option comes from; key is one of a target's, or
// empty.
func (o *origins) of(flag *kong.Flag, i int, key string) string {
	if o.given[flag.Name] {
		return "flag"
	}
	if name := variable(flag); name != "" {
		return "environment " + name
	}
	option, ok := o.fromFile(flag.Name)
	if !ok {
		return "default"
	}
	if i >= len(option.Values) { // one text of the file held several
		return o.file.At(option.Line)
	}
	value := option.Values[i]
	if line, ok := value.Keys[key]; ok {
		return o.file.At(line)
	}
	return o.file.At(value.Line)
}

var (
	optionOfError = regexp.MustCompile(`^--([a-z-]+)`)
	targetOfError = regexp.MustCompile(`^--target (\S+): (\S+)`)
)

// plainOption writes an error that names an option as the file names it.
func plainOption(message string) string { return strings.TrimPrefix(message, "--") }

// locate puts in front of an error, if what it names comes from the file, where
// it stands there.
func (o *origins) locate(err error, targets []fanout.TargetConfig) error {
	option := optionOfError.FindStringSubmatch(err.Error())
	if option == nil {
		return err
	}
	line := 0
	if said, ok := o.fromFile(option[1]); ok {
		line = said.Line
	}
	if named := targetOfError.FindStringSubmatch(err.Error()); named != nil {
		line = cmp.Or(o.lineOfTarget(named[1], named[2], targets), line)
	}
	if line == 0 {
		return err
	}
	return fileError{fmt.Errorf("%s: %s", o.file.At(line), plainOption(err.Error()))}
}

// lineOfTarget returns where the file has the last of the targets of that name,
// or the key of it, or the key as an option for all targets; 0 if it has not.
func (o *origins) lineOfTarget(name, key string, targets []fanout.TargetConfig) (line int) {
	said, ok := o.fromFile(targetOption)
	own := false
	for i, t := range targets {
		if ok && t.Name == name && i < len(said.Values) {
			value := said.Values[i]
			line = cmp.Or(value.Keys[key], value.Line)
			own = strings.Contains(value.Text, ","+key+"=")
		}
	}
	if slices.Contains(fanout.TargetKeys(), key) && !own {
		if said, ok := o.fromFile(key); ok {
			return said.Line
		}
	}
	return line
}
