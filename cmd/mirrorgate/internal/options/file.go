package options

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/configfile"
)

const (
	configOption = "config"
	targetOption = "target"
)

// BeforeResolve reads the configuration file, if there is one, before options
// get their values.
func (o *Options) BeforeResolve(ctx *kong.Context) error {
	s := &o.sources
	*s = sources{flags: ctx.Selected().Flags, given: make(map[string]bool)}
	for _, part := range ctx.Path {
		if part.Flag != nil {
			s.given[part.Flag.Name] = true
		}
	}
	kinds := make(map[string]configfile.Kind)
	path := ""
	for _, flag := range s.flags {
		if flag.Name == configOption {
			path = ctx.FlagValue(flag).(string)
			continue
		}
		kinds[flag.Name] = fileKind(flag)
	}
	if path == "" {
		return nil
	}
	file, err := configfile.Read(path, kinds)
	if err != nil {
		return FileError{err}
	}
	for _, flag := range s.flags {
		if err := checkFileOption(file, flag); err != nil {
			return FileError{err}
		}
	}
	s.file = file
	ctx.AddResolver(kong.ResolverFunc(s.resolve))
	return nil
}

// FileError is a mistake in the configuration file, which says where.
type FileError struct{ error }

func fileKind(flag *kong.Flag) configfile.Kind {
	switch flag.Target.Interface().(type) {
	case Targets:
		return configfile.Targets
	case Addresses, Lines:
		return configfile.List
	case Headers:
		return configfile.Headers
	}
	if flag.IsSlice() {
		return configfile.List
	}
	return configfile.Single
}

// checkFileOption reads each value by itself, so that a wrong one is found where
// it stands, and also where something else goes over it.
func checkFileOption(file *configfile.File, flag *kong.Flag) error {
	option, ok := file.Options[flag.Name]
	if ok && len(option.Values) == 0 {
		return fmt.Errorf("%s: %s is empty: give it a value, or remove the line", file.At(option.Line), flag.Name)
	}
	for _, value := range option.Values {
		if flag.Enum != "" && !slices.Contains(flag.EnumSlice(), value.Text) {
			return fmt.Errorf("%s: %s is %q, should be one of %s", file.At(value.Line), flag.Name, value.Text, strings.Join(flag.EnumSlice(), ", "))
		}
		scan := kong.ScanAsType(kong.FlagValueToken, value.Text)
		if err := flag.Parse(scan, reflect.New(flag.Target.Type()).Elem()); err != nil {
			return fmt.Errorf("%s: %s", file.At(value.Line), plainOption(err.Error()))
		}
	}
	return nil
}

// resolve is for kong: the value of an option that the command line does not
// have, in one text.
func (s *sources) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	option, ok := s.file.Options[flag.Name]
	if !ok || variable(flag) != "" {
		return nil, nil
	}
	var texts []string
	for _, value := range option.Values {
		texts = append(texts, value.Text)
	}
	separator := "\n"
	if flag.Tag.Sep > 0 {
		separator = string(flag.Tag.Sep)
	}
	return strings.Join(texts, separator), nil
}
