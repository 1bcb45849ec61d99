package doctor

import (
	"context"
	"fmt"
	"slices"
)

// Options say what to look at.
type Options struct {
	Files   []string            // HAProxy's configuration files, or directories of them
	Agents  []string            // HOST:PORT or unix:PATH to ask; none: those of the server lines
	Targets []Target            // of mirrorgate, which must not be production
	HAProxy string              // the program that checks the files itself; empty: none
	Connect bool                // ask running agents
	MaxBody int64               // bytes of body that have to arrive whole, 0: whatever does
	Getenv  func(string) string // the environment that HAProxy has
}

// Finding is one thing that bites, or with Note one that is good to know.
type Finding struct {
	File       string
	Line       int // from 1, 0: none in particular
	What, Mend string
	Note       bool
}

// String returns it in one line: FILE:LINE: what; mend.
func (f Finding) String() string {
	text := f.File + ": "
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d: ", f.File, f.Line)
	}
	if f.Note {
		text += "note: "
	}
	text += f.What
	if f.Mend != "" {
		text += "; " + f.Mend
	}
	return text
}

// Examine returns what it finds in the order of the configuration: first what HAProxy
// itself has to say, then what is wrong with a filter, then with its SPOE file, then with the backend of its
// agent. The error is that of a file that cannot be read.
func Examine(ctx context.Context, o Options) ([]Finding, error) {
	c, err := readConfig(o.Files, o.Getenv)
	if err != nil {
		return nil, err
	}
	x := &examination{options: o, config: c}
	x.check(ctx)
	x.filters(ctx)
	x.targets(ctx)
	if o.Connect {
		for _, agent := range o.Agents {
			x.ask(ctx, &line{file: "agent " + agent}, agent, x.frameSize(nil))
		}
	}
	return x.findings, nil
}

// examination is one run of all checks.
type examination struct {
	options  Options
	config   *config
	findings []Finding
	backends []*section // of agents, which were checked
	mirrored []*section // proxies whose requests are mirrored
}

func (x *examination) bite(at *line, what, mend string) {
	x.add(Finding{File: at.file, Line: at.number, What: what, Mend: mend})
}

func (x *examination) note(at *line, what, mend string) {
	x.add(Finding{File: at.file, Line: at.number, What: what, Mend: mend, Note: true})
}

// add keeps what is new: two frontends may share an engine.
func (x *examination) add(f Finding) {
	if !slices.Contains(x.findings, f) {
		x.findings = append(x.findings, f)
	}
}

// filters examines each use of SPOE that leads to mirroring.
func (x *examination) filters(ctx context.Context) {
	found := false
	for _, p := range x.config.sections {
		if !p.proxy() {
			continue
		}
		for _, filter := range p.lines {
			if !filter.is("filter", "spoe") {
				continue
			}
			e := x.engineOf(filter)
			found = found || e == nil || e.mirrors()
			if e != nil && e.mirrors() {
				x.mirrored = append(x.mirrored, p)
				x.use(ctx, use{p, filter, e})
			}
		}
	}
	if !found {
		x.bite(&line{file: x.options.Files[0]}, "no frontend has a filter spoe for mirroring", "mirrorgate config haproxy prints what to add")
	}
}

// use is an engine in a proxy.
type use struct {
	proxy  *section
	filter *line
	engine *engine
}

func (x *examination) use(ctx context.Context, u use) {
	if mode := u.proxy.get("mode"); mode == nil || mode.word(1) != "http" {
		x.bite(u.filter, fmt.Sprintf("%s %s is not in mode http, so there are no requests to mirror", u.proxy.kind, u.proxy.name), "add mode http")
	}
	x.largeBuffer(u)
	x.streaming(u)
	x.agent(u)
	x.messages(u)
	x.backend(ctx, u)
	x.bufsize(u)
}
