package bench

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// DefaultCommand runs mirrorgate as an agent.
const DefaultCommand = "{self} --listen={listen} --admin= --log-level=error --conns={conns} --batch={batch} --target=http://{targets}"

// FloorCommand runs the floor relay.
const FloorCommand = "{bench} floor --listen={listen} --conns={conns} --batch={batch} --target={targets}"

// GoroutineFloorCommand runs the one whose connections have goroutines of their own.
const GoroutineFloorCommand = FloorCommand + " --goroutines"

// TLSFloorCommand is that one with targets that speak TLS.
const TLSFloorCommand = GoroutineFloorCommand + " --tls"

// AckCommand runs an agent that only acknowledges.
const AckCommand = "{bench} floor --listen={listen}"

// Placeholders explains what may stand in the command line of an agent.
const Placeholders = `{listen} becomes the address to listen on and {port} its port; {target}, {target2}, … the addresses of ` +
	`the targets, and a word with {targets} is repeated for each target; {conns} and {batch} the flags of these ` +
	`names; {self} is mirrorgate, {bench} mirrorgate-bench.`

// placeholders is what the placeholders of a command line stand for.
type placeholders struct {
	listen       string
	targets      []string
	conns, batch int

	mirrorgate, bench string // paths of the programs
}

var (
	leftOver  = regexp.MustCompile(`\{(listen|port|targets?\d*|conns|batch|self|bench)\}`)
	plainWord = regexp.MustCompile(`^[\w./-]+$`)
)

// expand fills the placeholders in; the result is for a shell.
func (p placeholders) expand(command string) (string, error) {
	if !strings.Contains(command, "{listen}") && !strings.Contains(command, "{port}") {
		return "", fmt.Errorf("the command %q has neither {listen} nor {port}: it would listen where nobody calls", command)
	}
	_, port, err := net.SplitHostPort(p.listen)
	if err != nil {
		return "", fmt.Errorf("cannot listen on %q: %w", p.listen, err)
	}
	pairs := []string{
		"{listen}", p.listen, "{port}", port,
		"{conns}", strconv.Itoa(p.conns), "{batch}", strconv.Itoa(p.batch),
	}
	for placeholder, program := range map[string]string{"{self}": p.mirrorgate, "{bench}": p.bench} {
		if !strings.Contains(command, placeholder) {
			continue
		}
		if _, err := os.Stat(program); err != nil {
			return "", fmt.Errorf("cannot find %s, which %s stands for: build both programs into one directory (make build), or name another agent", cmp.Or(program, "the program"), placeholder)
		}
		pairs = append(pairs, placeholder, quote(program))
	}
	for i, t := range p.targets {
		if i == 0 {
			pairs = append(pairs, "{target}", t)
		}
		pairs = append(pairs, fmt.Sprintf("{target%d}", i+1), t)
	}
	line := strings.NewReplacer(pairs...).Replace(p.repeatTargets(command))
	if odd := leftOver.FindString(line); odd != "" {
		return "", fmt.Errorf("the command %q has %s, but there are %d targets", command, odd, len(p.targets))
	}
	if missing := p.missing(line); missing != "" {
		return "", fmt.Errorf("the command %q does not name all of its %d targets: use {targets}", command, len(p.targets))
	}
	return line, nil
}

// repeatTargets writes each word with {targets} once for each target.
func (p placeholders) repeatTargets(command string) string {
	var words []string
	for _, word := range strings.Fields(command) {
		if !strings.Contains(word, "{targets}") {
			words = append(words, word)
			continue
		}
		for _, t := range p.targets {
			words = append(words, strings.ReplaceAll(word, "{targets}", t))
		}
	}
	return strings.Join(words, " ")
}

// missing is a target that line leaves out although it names another one.
func (p placeholders) missing(line string) (target string) {
	named := 0
	for _, t := range p.targets {
		if strings.Contains(line, t) {
			named++
		} else {
			target = t
		}
	}
	if named == 0 {
		return ""
	}
	return target
}

// quote protects a word from the shell if it needs to.
func quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// freeAddr returns an address of the loopback that nobody listens on.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot find a free port: %w", err)
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}
