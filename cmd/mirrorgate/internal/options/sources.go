package options

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

// sources knows where the values of the options come from. The command line goes
// over the environment, and that over the file.
type sources struct {
	flags []*kong.Flag
	given map[string]bool  // on the command line, by name
	file  *configfile.File // nil: none
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
func (s *sources) fromFile(name string) (option configfile.Option, ok bool) {
	if s.file == nil || s.given[name] {
		return option, false
	}
	for _, flag := range s.flags {
		if flag.Name == name && variable(flag) != "" {
			return option, false
		}
	}
	option, ok = s.file.Options[name]
	return option, ok
}

// of says where value i of the option comes from; key is one of a target's, or
// empty.
func (s *sources) of(flag *kong.Flag, i int, key string) string {
	if s.given[flag.Name] {
		return "flag"
	}
	if name := variable(flag); name != "" {
		return "environment " + name
	}
	option, ok := s.fromFile(flag.Name)
	if !ok {
		return "default"
	}
	if i >= len(option.Values) { // one text of the file held several
		return s.file.At(option.Line)
	}
	value := option.Values[i]
	if line, ok := value.Keys[key]; ok {
		return s.file.At(line)
	}
	return s.file.At(value.Line)
}

var (
	optionOfError = regexp.MustCompile(`^--([a-z-]+)`)
	targetOfError = regexp.MustCompile(`^--target (\S+): (\S+)`)
)

// plainOption writes an error that names an option as the file names it.
func plainOption(message string) string { return strings.TrimPrefix(message, "--") }

// Locate puts in front of an error, if what it names comes from the file, where
// it stands there. It needs the targets if it may be about one.
func (o *Options) Locate(err error, targets []fanout.TargetConfig) error {
	s := &o.sources
	option := optionOfError.FindStringSubmatch(err.Error())
	if option == nil {
		return err
	}
	line := 0
	if said, ok := s.fromFile(option[1]); ok {
		line = said.Line
	}
	if named := targetOfError.FindStringSubmatch(err.Error()); named != nil {
		line = cmp.Or(s.lineOfTarget(named[1], named[2], targets), line)
	}
	if line == 0 {
		return err
	}
	return FileError{fmt.Errorf("%s: %s", s.file.At(line), plainOption(err.Error()))}
}

// lineOfTarget returns where the file has the last of the targets of that name,
// or the key of it, or the key as an option for all targets; 0 if it has not.
func (s *sources) lineOfTarget(name, key string, targets []fanout.TargetConfig) (line int) {
	said, ok := s.fromFile(targetOption)
	own := false
	for i, t := range targets {
		if ok && t.Name == name && i < len(said.Values) {
			value := said.Values[i]
			line = cmp.Or(value.Keys[key], value.Line)
			own = strings.Contains(value.Text, ","+key+"=")
		}
	}
	if slices.Contains(fanout.TargetKeys(), key) && !own {
		if said, ok := s.fromFile(key); ok {
			return said.Line
		}
	}
	return line
}

// OnCommandLine reports whether the command line has the option.
func (o *Options) OnCommandLine(name string) bool { return o.sources.given[name] }
