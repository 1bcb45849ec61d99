package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/spelling"
	"github.com/mirrorgate/mirrorgate/codec"
)

// The events at which there is a request.
const (
	atFrontend = "on-frontend-http-request"
	atBackend  = "on-backend-http-request"
	atResponse = "on-http-response"
)

// argument is one of a message: its sample expression, and where it stands.
type argument struct {
	expression string
	at         *line
}

var argumentPattern = regexp.MustCompile(`^([A-Za-z0-9_.-]+)=(.*)$`)

func arguments(m *section) map[string]argument {
	found := make(map[string]argument)
	for _, l := range m.all("args") {
		for _, word := range l.words[1:] {
			if parts := argumentPattern.FindStringSubmatch(word); parts != nil {
				found[parts[1]] = argument{parts[2], l}
			}
		}
	}
	return found
}

// knownArguments are those that mirrorgate reads.
var knownArguments = []string{
	codec.ArgMethod, codec.ArgPath, codec.ArgVersion, codec.ArgHeaders, codec.ArgBody, codec.ArgBodySize,
	codec.ArgStatus, codec.ArgTime, codec.ArgID, codec.ArgSource,
}

// misspelt returns which argument of ours a name was meant to be, empty if none: other
// messages have arguments that mean nothing to us.
func misspelt(name string) string {
	if slices.Contains(knownArguments, name) || !strings.HasPrefix(strings.ToLower(name), "arg") {
		return ""
	}
	return spelling.Nearest(name, knownArguments)
}

// mirrors reports whether a message is meant for mirroring at all.
func mirrors(m *section) bool {
	for name := range arguments(m) {
		if meant := cmp.Or(misspelt(name), name); meant == codec.ArgMethod || meant == codec.ArgPath {
			return true
		}
	}
	return false
}

// mirrors reports whether the engine is one for mirroring; others are none of our
// business.
func (e *engine) mirrors() bool { return slices.ContainsFunc(e.messages, mirrors) }

// messages checks what the agent sends, by event or by rule.
func (x *examination) messages(u use) {
	sent := make(map[*section]bool)
	each := func(lists []*line, f func(m *section)) {
		for _, list := range lists {
			for _, name := range list.words[1:] {
				m := u.engine.message(name)
				if m == nil {
					x.bite(list, fmt.Sprintf("there is no spoe-message %s in this engine", name), "correct the name, or add the section")
				} else if sent[m] = true; mirrors(m) {
					f(m)
				}
			}
		}
	}
	each(u.engine.agent.all("messages"), func(m *section) { x.event(u, m) })
	for _, list := range u.engine.agent.all("groups") {
		for _, name := range list.words[1:] {
			if g := named(u.engine.groups, name); g == nil {
				x.bite(list, fmt.Sprintf("there is no spoe-group %s in this engine", name), "correct the name, or add the section")
			} else {
				each(g.all("messages"), func(m *section) { x.group(u, g, m) })
			}
		}
	}
	for _, m := range u.engine.messages {
		if !sent[m] {
			x.bite(m.head, fmt.Sprintf("the agent does not send message %s", m.name), "add it to the agent's messages")
		}
	}
}

// event checks a message that an event sends.
func (x *examination) event(u use, m *section) {
	event := m.own("event")
	if event == nil {
		x.bite(m.head, fmt.Sprintf("message %s has no event, so it is never sent", m.name), "add event "+atFrontend)
		return
	}
	switch name := event.word(1); {
	case name == atFrontend && u.proxy.kind == "backend":
		x.bite(event, fmt.Sprintf("%s never happens in backend %s", name, u.proxy.name), "move the filter to a frontend, or use "+atBackend)
	case name != atFrontend && name != atBackend && name != atResponse:
		x.bite(event, fmt.Sprintf("at %s there is no request to mirror", name), "use "+atFrontend)
	}
	condition := u.reach(event.words[2:], m)
	x.guards(u, event, condition)
	x.arguments(u, m, event.word(1), condition)
	if !x.buffered(u, event.word(1)) {
		x.unbuffered(u, m)
	}
}

// group checks a message that a rule sends.
func (x *examination) group(u use, g, m *section) {
	rules := slices.DeleteFunc(u.proxy.all("http-request"), func(l *line) bool {
		return l.word(1) != "send-spoe-group" || l.word(2) != u.engine.name || l.word(3) != g.name
	})
	if len(rules) == 0 {
		x.bite(u.filter, fmt.Sprintf("no rule sends group %s", g.name), fmt.Sprintf("add http-request send-spoe-group %s %s", u.engine.name, g.name))
		return
	}
	for _, rule := range rules {
		condition := u.reach(rule.words[4:], u.proxy)
		x.guards(u, rule, condition)
		x.arguments(u, m, atFrontend, condition)
	}
	if !u.waits() && !x.buffered(u, atFrontend) {
		x.unbuffered(u, m)
	}
}

// guards checks that a dead agent costs nothing, and that loops are seen.
func (x *examination) guards(u use, at *line, condition string) {
	backend := u.engine.agent.own("use-backend")
	if !strings.Contains(condition, "nbsrv(") && backend != nil {
		x.bite(at, "there is no nbsrv guard: each request looks for an agent also when none is up", fmt.Sprintf("add to its condition { nbsrv(%s) gt 0 }", backend.word(1)))
	}
	if strings.Contains(condition, "x-mirrored-by") {
		x.note(at, "its condition hides what comes back from mirrorgate, which would refuse it, count it as loop, and so tell that a target is production",
			"leave X-Mirrored-By out of the condition")
	}
}

// arguments checks what a message carries.
func (x *examination) arguments(u use, m *section, event, condition string) {
	args := arguments(m)
	meant := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if right := misspelt(name); right != "" {
			meant[right] = true
			x.bite(args[name].at, fmt.Sprintf("%s is no argument that mirrorgate knows", name), "write "+right)
		}
	}
	for _, name := range []string{codec.ArgMethod, codec.ArgPath, codec.ArgHeaders, codec.ArgBody} {
		if _, ok := args[name]; !ok {
			if !meant[name] {
				x.missing(m, name, condition)
			}
			continue
		}
		x.argument(u, name, args[name], event)
	}
	if _, ok := args[codec.ArgBodySize]; !ok && !meant[codec.ArgBodySize] && args[codec.ArgBody].at != nil {
		x.note(args[codec.ArgBody].at, "that a chunked body was cut is not seen", "append arg_body_size=req.body_size")
	}
}

func (x *examination) missing(m *section, name, condition string) {
	at := m.own("args")
	if at == nil {
		at = m.head
	}
	switch name {
	case codec.ArgMethod:
		x.bite(at, "without arg_method mirrorgate ignores the message", "append arg_method=method")
	case codec.ArgPath:
		x.bite(at, "without arg_path mirrorgate ignores the message", "append arg_path=url")
	case codec.ArgHeaders:
		x.bite(at, "without arg_hdrs requests are mirrored without their fields, Host too", "append arg_hdrs=req.hdrs_bin")
	case codec.ArgBody:
		if !strings.Contains(condition, "meth") {
			x.note(at, "without arg_body requests that declare a body are dropped as no_body, or go out without it with --truncated send", "append arg_body=req.body if bodies shall be mirrored")
		}
	}
}

// requestFetch matches what is gone when the response is there.
var requestFetch = regexp.MustCompile(`^(req\.|url|path|base|hdr|pathq)`)

func (x *examination) argument(u use, name string, a argument, event string) {
	expression := a.expression
	if variable := variablePattern.FindStringSubmatch(expression); variable != nil {
		rules := u.setters(variable[1])
		if len(rules) == 0 {
			x.bite(a.at, fmt.Sprintf("%s is empty: no rule of %s %s sets %s", name, u.proxy.kind, u.proxy.name, variable[1]),
				"mirrorgate config haproxy --event response prints the rules")
			return
		}
		expression = rules[0].word(2)
		if name == codec.ArgMethod && expression == "method" {
			x.bite(rules[0], "in a variable HAProxy before 3.4 keeps a method that it does not know, such as PATCH, as OPTIONS, and so it is mirrored", "write method,concat() instead of method")
		}
	} else if event == atResponse && requestFetch.MatchString(expression) {
		x.bite(a.at, fmt.Sprintf("%s=%s is empty at %s: the request has gone", name, expression, event),
			"keep it in a variable of the request, as mirrorgate config haproxy --event response does")
	}
	if name != codec.ArgPath {
		return
	}
	switch fetch, converter, _ := strings.Cut(expression, ","); {
	case fetch == "path":
		x.bite(a.at, "the mirrored requests have no query", "use arg_path=url: mirrorgate takes path and query out of it")
	case fetch == "url" && converter != "":
		x.note(a.at, "url needs no conversion: of one with scheme and host, as HTTP/2 has it, mirrorgate takes path and query", "arg_path=url will do")
	}
}

// buffered reports whether bodies are there when the event comes. For events of
// the backend its own option comes in time.
func (x *examination) buffered(u use, event string) bool {
	if u.proxy.option("http-buffer-request") != nil || event == atResponse && u.waits() {
		return true
	}
	return event == atBackend && slices.ContainsFunc(x.config.sections, func(s *section) bool {
		return s.kind == "backend" && s.option("http-buffer-request") != nil
	})
}

// waits reports whether a rule waits for bodies.
func (u use) waits() bool {
	return slices.ContainsFunc(u.proxy.all("http-request"), func(l *line) bool { return l.word(1) == "wait-for-body" })
}

func (x *examination) unbuffered(u use, m *section) {
	if arguments(m)[codec.ArgBody].at == nil {
		return
	}
	mend := fmt.Sprintf("add option http-buffer-request to %s %s", u.proxy.kind, u.proxy.name)
	for _, s := range x.config.sections {
		if l := s.own("option", "http-buffer-request"); l != nil && s.kind == "backend" {
			x.bite(l, "in a backend the option comes too late: the request is mirrored before its body has arrived", mend)
			return
		}
	}
	x.bite(u.filter, "there is no option http-buffer-request: a request is mirrored before its body has arrived", mend)
}
