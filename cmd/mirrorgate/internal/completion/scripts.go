package completion

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Script returns the script for bash, zsh or fish.
func Script(shell string, program *kong.Application) string {
	commands := commandsOf(program)
	switch shell {
	case "bash":
		return bash(program.Name, commands)
	case "zsh":
		return "#compdef " + program.Name + "\nautoload -U +X bashcompinit && bashcompinit\n" + bash(program.Name, commands)
	case "fish":
		return fish(program.Name, commands)
	}
	panic("BUG: there is no script for " + shell)
}

// bash completes by the words that are no options in front of the cursor.
func bash(program string, commands []command) string {
	var out strings.Builder
	fmt.Fprintf(&out, `_%[1]s() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path= word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "${path:+$path }$word" in
`, program)
	var paths, values, names strings.Builder
	for _, c := range commands {
		if c.path != "" {
			fmt.Fprintf(&paths, "		'%[1]s') path='%[1]s' ;;\n", c.path)
		}
		var flags []string
		for _, f := range c.flags {
			flags = append(flags, f.name)
			switch {
			case f.values != nil:
				fmt.Fprintf(&values, "	'%s %s') COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n", c.path, f.name, strings.Join(f.values, " "))
			case f.file:
				fmt.Fprintf(&values, "	'%s %s') COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", c.path, f.name)
			case !f.bool:
				fmt.Fprintf(&values, "	'%s %s') COMPREPLY=(); return ;;\n", c.path, f.name)
			}
		}
		fmt.Fprintf(&names, "	'%s') flags='%s' commands='%s' ;;\n", c.path, strings.Join(flags, " "), strings.Join(c.commands, " "))
	}
	fmt.Fprintf(&out, `%s		esac
	done
	case "$path $before" in
%s	esac
	local flags= commands=
	case "$path" in
%s	esac
	[[ $current == -* ]] && commands=$flags
	COMPREPLY=($(compgen -W "$commands" -- "$current"))
}
complete -o default -F _%[4]s %[4]s
`, paths.String(), values.String(), names.String(), program)
	return out.String()
}

// fish has a line for each command and option.
func fish(program string, commands []command) string {
	var out strings.Builder
	for _, c := range commands {
		when := "__fish_use_subcommand"
		if c.path != "" {
			words := strings.Fields(c.path)
			for i, w := range words {
				words[i] = "__fish_seen_subcommand_from " + w
			}
			when = strings.Join(words, "; and ")
		}
		for _, name := range c.commands {
			fmt.Fprintf(&out, "complete -c %s -n %s -f -a %s\n", program, quote(when), name)
		}
		for _, f := range c.flags {
			line := fmt.Sprintf("complete -c %s -n %s -l %s -d %s", program, quote(when), strings.TrimPrefix(f.name, "--"), quote(f.help))
			switch {
			case f.values != nil:
				line += " -x -a " + quote(strings.Join(f.values, " "))
			case f.file:
				line += " -r"
			case !f.bool:
				line += " -x"
			}
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// quote writes a text as one word for fish.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
