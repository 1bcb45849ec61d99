package haproxy

import (
	"strings"
	"sync"
)

// Output keeps the end of what a process writes. Its methods may be called at
// any time.
type Output struct {
	mu   sync.Mutex
	text []byte
}

const maxOutput = 1 << 20

// Write never fails.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if len(o.text) > 2*maxOutput {
		o.text = append(o.text[:0], o.text[len(o.text)-maxOutput:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// last returns the last lines in one.
func (o *Output) last() string {
	lines := strings.Split(strings.TrimSpace(o.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}
