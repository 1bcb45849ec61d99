package haproxy

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
)

// Socket is what a configuration must name for Ask and Reload: "stats socket
// unix@haproxy.sock level admin expose-fd listeners".
const Socket = "haproxy.sock"

// Ask gives a command to HAProxy's runtime API and returns its response.
func (p *Process) Ask(command string) (string, error) {
	conn, err := net.Dial("unix", filepath.Join(p.dir, Socket))
	if err != nil {
		return "", fmt.Errorf("cannot ask HAProxy: %w", err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", fmt.Errorf("cannot ask HAProxy: %w", err)
	}
	response, err := io.ReadAll(conn)
	if err != nil {
		return "", fmt.Errorf("cannot ask HAProxy: %w", err)
	}
	return string(response), nil
}
