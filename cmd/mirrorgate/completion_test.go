package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/completion"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/reference"
)

// What bash completes, asked of bash.
func TestCompletion(t *testing.T) {
	script := filepath.Join(t.TempDir(), "mirrorgate")
	if err := os.WriteFile(script, []byte(completion.Script("bash", newParser(new(cli)).Model)), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(words []string, want string) {
		t.Helper()
		ask := exec.Command("bash", append([]string{"--norc", "-c", `source "$0"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_mirrorgate
echo "${COMPREPLY[*]}"`, script}, words...)...)
		out, err := ask.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want && !(strings.HasSuffix(want, "…") && strings.HasPrefix(got, strings.TrimSuffix(want, "…"))) {
			t.Errorf("%q is completed with %q, %v; want %q", words, got, err, want)
		}
	}
	f([]string{"mirrorgate", ""}, "demo config doctor…")
	f([]string{"mirrorgate", "--samp"}, "--sample --sample-by")
	f([]string{"mirrorgate", "config", ""}, "haproxy systemd prometheus grafana")
	f([]string{"mirrorgate", "config", "haproxy", "--ev"}, "--event")
	f([]string{"mirrorgate", "config", "haproxy", "--event", ""}, "request response")
	f([]string{"mirrorgate", "config", "haproxy", "--event", "request", "--me"}, "--methods")
	f([]string{"mirrorgate", "--truncated", "s"}, "send")
	f([]string{"mirrorgate", "--conns", ""}, "")
	f([]string{"mirrorgate", "--config", "/etc/passw"}, "/etc/passwd…")
	f([]string{"mirrorgate", "status", "--js"}, "--json")
	f([]string{"mirrorgate", "completion", "--ver"}, "--version")
}

// The scripts of all shells name each command and each option.
func TestCompletionIsWhole(t *testing.T) {
	model := newParser(new(cli)).Model
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := completion.Script(shell, model)
		for _, command := range model.Leaves(true) {
			if !strings.Contains(script, command.Name) {
				t.Errorf("%s: %s is missing", shell, command.Path())
			}
			for _, flag := range command.Flags {
				if !strings.Contains(script, "--"+flag.Name) && !strings.Contains(script, "-l "+flag.Name+" ") {
					t.Errorf("%s: --%s of %s is missing", shell, flag.Name, command.Path())
				}
			}
		}
	}
}

// groff understands the manual page, which has each command, option and topic.
func TestManual(t *testing.T) {
	model := newParser(new(cli)).Model
	page := reference.Man(model, reference.Topics(model), "v1")
	for _, want := range []string{".TH MIRRORGATE 1", ".SS \"mirrorgate config haproxy\"", `.B \-\-agents=ADDRESS`, ".SH ACCOUNTING", ".B queue_full", `.B \-\-max\-age (default 10s)`} {
		if !strings.Contains(page, want) {
			t.Errorf("the manual page has no %q", want)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		return // then nobody can read it here
	}
	read := exec.Command(groff, "-K", "utf8", "-man", "-T", "utf8", "-w", "mac", "-w", "escape", "-w", "font", "-w", "char")
	read.Stdin = strings.NewReader(page)
	var said strings.Builder
	read.Stderr = &said
	if err := read.Run(); err != nil || strings.Contains(said.String(), "warning: name") || strings.Contains(said.String(), "not defined") {
		t.Errorf("groff: %v\n%s", err, said.String())
	}
}
