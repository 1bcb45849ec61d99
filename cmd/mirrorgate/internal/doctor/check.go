package doctor

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// checkTime is how long haproxy -c may take: it resolves names.
const checkTime = 20 * time.Second

// alertPattern matches a line like
//
//	[ALERT]    (123) : config : parsing [haproxy.cfg:7] : unknown keyword …
var alertPattern = regexp.MustCompile(`^\[ALERT\] *\([0-9]+\) : (?:config : )?(?:parsing )?(?:\[([^\[\]:]+):([0-9]+)\] : )?(.*)$`)

// check has HAProxy itself read the configuration, which knows better than we do what
// it takes.
func (x *examination) check(ctx context.Context) {
	if x.options.HAProxy == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	out, refused := x.runCheck(ctx, "")
	if refused { // HAProxy may be started where its configuration is, and find other files from there
		out, refused = x.runCheck(ctx, filepath.Dir(x.options.Files[0]))
	}
	if !refused {
		return
	}
	for text := range strings.Lines(out) {
		alert := alertPattern.FindStringSubmatch(strings.TrimSpace(text))
		if alert == nil {
			continue
		}
		at := &line{file: x.options.Files[0]}
		if alert[1] != "" {
			at.file = alert[1]
			at.number, _ = strconv.Atoi(alert[2])
		}
		x.bite(at, "HAProxy refuses it: "+strings.TrimSuffix(alert[3], "."), "haproxy -c -f "+strings.Join(x.options.Files, " -f ")+" says more")
		return
	}
	x.bite(&line{file: x.options.Files[0]}, "HAProxy refuses the configuration", "haproxy -c -f "+strings.Join(x.options.Files, " -f ")+" says why")
}

// runCheck runs haproxy -c in a directory, and returns what it says. What could not be
// run has refused nothing.
func (x *examination) runCheck(ctx context.Context, dir string) (out string, refused bool) {
	args := []string{"-c"}
	for _, file := range x.options.Files {
		if absolute, err := filepath.Abs(file); err == nil && dir != "" {
			file = absolute
		}
		args = append(args, "-f", file)
	}
	command := exec.CommandContext(ctx, x.options.HAProxy, args...)
	command.Dir = dir
	text, err := command.CombinedOutput()
	return string(text), errors.As(err, new(*exec.ExitError))
}
