package options

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// process is what mirrorgate takes besides what it holds for others, in bytes.
	process = 64 << 20
	// connMemory is what a connection from HAProxy takes at its worst, in bytes: what
	// engine holds of it outside of --memory, and as much in the kernel.
	connMemory = 64 << 10
	// fewestConns are let in however little memory there is.
	fewestConns = 256
)

// ConnsWithin returns how many connections from HAProxy, each at its worst, there is
// room for in a limit of memory, beside so much payload, both in bytes.
func ConnsWithin(limit, payload int64) int {
	return int(max((limit-leastMemory(payload))/connMemory, fewestConns))
}

// leastMemory is what is taken without any connection.
func leastMemory(payload int64) int64 { return payload + payload/unfinishedShare + process }

// memoryLimit returns what the control group of this process may take, as MemoryMax
// of a systemd unit or the limit of a container says, in bytes; 0: as much as there
// is. root is "/", but for tests.
func memoryLimit(root string) int64 {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	limit := int64(math.MaxInt64)
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/") // version 2
		for ok {
			content, _ := os.ReadFile(filepath.Join(root, "sys/fs/cgroup", group, "memory.max"))
			if n, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64); err == nil {
				limit = min(limit, n) // else it is "max", or there is none at the root
			}
			if ok = group != "" && group != "."; ok {
				group = filepath.Dir(group)
			}
		}
	}
	if limit == math.MaxInt64 {
		return 0
	}
	return limit
}
