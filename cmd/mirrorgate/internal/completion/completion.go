// Package completion makes scripts by which shells complete the commands and options
// of a program. It is pure.
//
//	completion.go  what can be completed where
//	scripts.go     that, for each shell
package completion

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// command is what can follow it: the names of its commands, and its options.
type command struct {
	path     string // empty: the program alone
	commands []string
	flags    []flag
}

type flag struct {
	name   string // with its dashes
	help   string
	values []string // that it may have, if these are few
	file   bool     // it takes the name of a file
	bool   bool     // it takes nothing
}

// commandsOf returns the program with its default command, and all commands.
func commandsOf(program *kong.Application) []command {
	root := command{flags: flagsOf(program.DefaultCmd)}
	all := []command{root}
	var walk func(n *kong.Node, into int)
	walk = func(n *kong.Node, into int) {
		for _, child := range n.Children {
			if child.Hidden || child.Type != kong.CommandNode {
				continue
			}
			all[into].commands = append(all[into].commands, child.Name)
			all = append(all, command{path: child.Path(), flags: flagsOf(child)})
			walk(child, len(all)-1)
		}
	}
	walk(program.Node, 0)
	return all
}

// flagsOf returns the options of a command and of all above it.
func flagsOf(n *kong.Node) (flags []flag) {
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			flags = append(flags, flag{
				name: "--" + f.Name, help: f.Tag.Help, bool: f.IsBool(), values: valuesOf(f),
				file: slices.Contains([]string{"FILE", "PATH", "FOLDER"}, f.PlaceHolder),
			})
		}
	}
	return flags
}

func valuesOf(f *kong.Flag) []string {
	if f.Enum == "" {
		return nil
	}
	return slices.DeleteFunc(f.EnumSlice(), func(v string) bool { return strings.TrimSpace(v) == "" })
}
