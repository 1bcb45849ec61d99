package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/spelling"
)

const variablePrefix = "MIRRORGATE_"

// nameEnvironment gives the options of the default command, and of the one that
// checks them, their variables.
func nameEnvironment(k *kong.Kong) error {
	for _, command := range k.Model.Children {
		if !hasVariables(k.Model, command) {
			continue
		}
		for _, flag := range command.Flags {
			env := variablePrefix + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			flag.Envs = []string{env}
			flag.Tag.Envs = flag.Envs
		}
	}
	return nil
}

// hasVariables reports whether the command has the options of the default one.
func hasVariables(program *kong.Application, command *kong.Node) bool {
	return command == program.DefaultCmd || command.Name == "check" || command.Name == "replay"
}

// ofKubernetes matches what Kubernetes sets in each container for a service that is
// named like mirrorgate or mirrorgate-admin.
var ofKubernetes = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// unknownVariable returns an error for a variable of the environment that has the
// prefix of ours, but is none: it would be ignored.
func unknownVariable(run *kong.Node) error {
	var known, unknown []string // without the prefix
	for _, flag := range run.Flags {
		for _, env := range flag.Envs {
			known = append(known, strings.TrimPrefix(env, variablePrefix))
		}
	}
	for _, setting := range os.Environ() {
		variable, _, _ := strings.Cut(setting, "=")
		name, ours := strings.CutPrefix(variable, variablePrefix)
		if ours && !slices.Contains(known, name) && !ofKubernetes.MatchString(variable) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	name := slices.Min(unknown)
	meant := "mirrorgate help options lists those that there are"
	if nearest := spelling.Nearest(name, known); nearest != "" {
		meant = "did you mean " + variablePrefix + nearest + "?"
	}
	return fmt.Errorf("unknown variable %s%s in the environment: %s", variablePrefix, name, meant)
}
