package options

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

var errTokenFile = errors.New("the file should hold one word of printable ASCII: the token")

// ReadToken returns what the file holds, without the white space around it; no
// file is no token. The errors never show any of it.
func ReadToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--admin-token-file: cannot read token: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("--admin-token-file %s: %w", file, errTokenFile)
	}
	return token, nil
}

// AdminToken returns the secret that the admin server asks for, empty for none.
func (o *Options) AdminToken() (string, error) {
	token, err := ReadToken(o.AdminTokenFile)
	if err != nil {
		return "", o.Locate(err, nil)
	}
	return token, nil
}
