package reference

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Man returns the manual page mirrorgate(1) in man(7) macros: the commands with their
// options, and all topics.
func Man(program *kong.Application, topics []Topic, version string) string {
	var out strings.Builder
	fmt.Fprintf(&out, ".TH MIRRORGATE 1 \"\" %q\n", "mirrorgate "+version)
	out.WriteString(".SH NAME\nmirrorgate \\- mirrors HTTP traffic of HAProxy to test targets\n.SH SYNOPSIS\n")
	out.WriteString(".B mirrorgate \\-\\-target\n[NAME=]URL[,key=value...] [flags]\n.br\n.B mirrorgate\nCOMMAND [flags]\n")
	writeManBlocks(&out, []block{{kind: heading, texts: []string{"description"}}, {kind: paragraph, texts: []string{firstParagraph(program.DefaultCmd.Detail)}}})
	out.WriteString(".SH COMMANDS\n")
	for _, command := range program.Leaves(true) {
		writeManCommand(&out, command)
	}
	for _, t := range topics {
		fmt.Fprintf(&out, ".SH %s\n.B %s\n", roff(strings.ToUpper(t.Name)), roff(t.Title))
		writeManBlocks(&out, parse(t.Text))
	}
	return out.String()
}

func firstParagraph(text string) string {
	first, _, _ := strings.Cut(text, "\n\n")
	return first
}

// writeManCommand writes a command with the options that are its own.
func writeManCommand(out *strings.Builder, command *kong.Node) {
	fmt.Fprintf(out, ".SS \"mirrorgate %s\"\n%s\n", roff(command.Path()), roff(command.Help))
	if command.Name != "check" { // its options are those of the default command, which is a topic
		for _, flag := range command.Flags {
			name := "--" + flag.Name
			if !flag.IsBool() {
				name += "=" + cmp.Or(flag.PlaceHolder, strings.ToUpper(flag.Name))
			}
			if !flag.Hidden {
				fmt.Fprintf(out, ".TP\n.B %s\n%s\n", roff(name), roff(flag.Help))
			}
		}
	}
	if command.Detail != "" {
		writeManBlocks(out, parse(command.Detail))
	}
}

func writeManBlocks(out *strings.Builder, blocks []block) {
	for i, b := range blocks {
		text := roff(plain(b.texts[0]))
		follows := i > 0 && blocks[i-1].kind == b.kind
		switch b.kind {
		case heading:
			fmt.Fprintf(out, ".SS %q\n", text)
		case item:
			fmt.Fprintf(out, ".IP \\(bu 2\n%s\n", text)
		case code:
			if !follows {
				out.WriteString(".PP\n")
			}
			out.WriteString(".nf\n.RS 4\n")
			for _, line := range b.texts {
				out.WriteString(roff(line) + "\n")
			}
			out.WriteString(".RE\n.fi\n")
		case row:
			if !follows {
				fmt.Fprintf(out, ".PP\n.I %s\n", roff(b.head[0]))
			}
			beside, below := cellsOf(b)
			fmt.Fprintf(out, ".TP\n.B %s\n%s\n", roff(beside), roff(strings.Join(below, ". ")))
		default:
			fmt.Fprintf(out, ".PP\n%s\n", text)
		}
	}
}

// roff writes a text so that it means nothing to roff: no escape, and no request at the
// begin of a line.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "'", `\(aq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
