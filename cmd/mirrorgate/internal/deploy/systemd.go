package deploy

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"strings"
	"text/template"
	"time"
)

// Systemd is what a unit depends on.
type Systemd struct {
	Binary  string        // path of mirrorgate
	Options []string      // its command line; what is not there, files may say
	Memory  int64         // its --memory in bytes
	Drain   time.Duration // its --drain
	Conns   int           // its --max-conns, which follows from MemoryMax
}

//go:embed mirrorgate.service.tmpl
var serviceText string

var serviceTemplate = template.Must(template.New("mirrorgate.service").Parse(serviceText))

// WriteUnit writes the unit.
func (s Systemd) WriteUnit(w io.Writer) error { return serviceTemplate.Execute(w, s) }

// Start returns the command line.
func (s Systemd) Start() string {
	line := unitWord(s.Binary)
	for _, option := range s.Options {
		line += " " + unitWord(option)
	}
	return line
}

// StopSeconds returns what a drain takes, and a little more.
func (s Systemd) StopSeconds() int { return int(math.Ceil(s.Drain.Seconds())) + 5 }

// MemoryMax returns what the process and its sockets may hold, in bytes.
func (s Systemd) MemoryMax() int64 { return 2*s.Memory + 256<<20 }

// MemoryText returns --memory as people write it.
func (s Systemd) MemoryText() string { return fmt.Sprintf("%gMiB", float64(s.Memory)/(1<<20)) }

// unitWord quotes a path for a unit file (systemd.service(5), "Command lines").
func unitWord(path string) string {
	path = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", `\n`).Replace(path)
	if strings.ContainsAny(path, " \t;'") {
		return `"` + path + `"`
	}
	return path
}

// HiddenFromService reports whether the unit's service cannot see the path: home
// directories and temporary files are not for it.
func HiddenFromService(path string) bool {
	for _, dir := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}
