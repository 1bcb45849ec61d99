package main

import (
	"errors"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/admin"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// adminFlags say where a running mirrorgate is asked.
type adminFlags struct {
	Admin          string `default:"127.0.0.1:12346" placeholder:"ADDRESS" env:"MIRRORGATE_ADMIN" help:"Where the running mirrorgate has its admin server."`
	AdminTokenFile string `placeholder:"FILE" env:"MIRRORGATE_ADMIN_TOKEN_FILE" help:"File with the token that it asks for."`
}

var errNoAdmin = errors.New("--admin is empty: without an admin server a running mirrorgate cannot be asked")

func (f adminFlags) client() (*admin.Client, error) {
	if f.Admin == "" {
		return nil, usageError{errNoAdmin}
	}
	token, err := options.ReadToken(f.AdminTokenFile)
	if err != nil {
		return nil, usageError{err}
	}
	return admin.NewClient(f.Admin, token), nil
}

// asked tells mistakes of whoever typed the question from failures.
func asked(err error) error {
	if errors.As(err, new(*admin.RefusedError)) {
		return usageError{err}
	}
	return err
}
