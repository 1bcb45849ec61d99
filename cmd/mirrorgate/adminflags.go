package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// adminFlags say where running mirrorgates are asked.
type adminFlags struct {
	Admin          []string `default:"127.0.0.1:12346" placeholder:"ADDRESS" env:"MIRRORGATE_ADMIN" help:"Where the running mirrorgate has its admin server, HOST:PORT or URL; several, with commas, are taken together."`
	AdminTokenFile string   `placeholder:"FILE" env:"MIRRORGATE_ADMIN_TOKEN_FILE" help:"File with the token that it asks for."`
}

const defaultAdmin = "127.0.0.1:12346"

var errNoAdmin = errors.New("--admin is empty: without an admin server a running mirrorgate cannot be asked")

// clients returns one for each address. All errors are mistakes of the command line.
func (f adminFlags) clients() (all []*admin.Client, err error) {
	token, err := options.ReadToken(f.AdminTokenFile)
	if err != nil {
		return nil, usageError{err}
	}
	seen := map[string]bool{}
	for _, address := range f.Admin {
		address = strings.TrimSpace(address)
		switch {
		case address == "":
			return nil, usageError{errNoAdmin}
		case seen[address]:
			return nil, usageError{fmt.Errorf("--admin has %s twice: what it says would count twice", address)}
		}
		seen[address] = true
		all = append(all, admin.NewClient(address, token))
	}
	if len(all) == 0 {
		return nil, usageError{errNoAdmin}
	}
	return all, nil
}

// given are the flags as they were given, for a command line to copy.
func (f adminFlags) given() string {
	text := ""
	if len(f.Admin) != 1 || f.Admin[0] != defaultAdmin {
		text += " --admin " + strings.Join(f.Admin, ",")
	}
	if f.AdminTokenFile != "" {
		text += " --admin-token-file " + f.AdminTokenFile
	}
	return text
}

// asked tells mistakes of whoever typed the question from failures.
func asked(err error) error {
	if errors.As(err, new(*admin.RefusedError)) {
		return usageError{err}
	}
	return err
}
