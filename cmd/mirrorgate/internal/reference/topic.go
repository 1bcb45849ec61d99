package reference

import (
	"embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

//go:embed topics/*.md
var files embed.FS

// Topic is a text of the reference.
type Topic struct {
	Name  string // as in mirrorgate help NAME
	Title string // one line, which says what it is about
	Text  string // Markdown, without a heading of its own
}

// titles are those of all topics, in their order.
var titles = [][2]string{
	{"options", "Options, environment and configuration file"},
	{"haproxy", "HAProxy's configuration, and what HAProxy logs"},
	{"grpc", "gRPC through HAProxy, and to targets"},
	{"choose", "Choose what is mirrored"},
	{"order", "In order, for each user"},
	{"requests", "What happens to a request"},
	{"verdict", "Is v2 like v1: targets compared with each other"},
	{"compare", "Compare responses with production's"},
	{"record", "Record what is sent, and send it again"},
	{"accounting", "Accounting: what became of every request"},
	{"metrics", "Metrics"},
	{"api", "API"},
	{"sizing", "Size the hosts"},
	{"measure", "Measure"},
	{"limits", "Limits"},
	{"tested", "What was tested"},
}

// Topics returns all topics, in their order, for a program with these options.
func Topics(program *kong.Application) []Topic {
	var all []Topic
	for _, t := range titles {
		all = append(all, Topic{t[0], t[1], text(program, t[0])})
	}
	return all
}

// text fills in a file. What it is made of is built in, so that a mistake in it is
// a bug.
func text(program *kong.Application, name string) string {
	source, err := files.ReadFile("topics/" + name + ".md")
	if err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	var filled strings.Builder
	tables := template.FuncMap{
		"options": func(group string) string { return optionsTable(program.DefaultCmd.Flags, group) },
		"metrics": metricsTable,
	}
	if err := template.Must(template.New(name).Funcs(tables).Parse(string(source))).Execute(&filled, nil); err != nil {
		panic(fmt.Sprintf("BUG: %v", err))
	}
	return filled.String()
}
