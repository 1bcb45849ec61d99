package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version is set by the linker (-X main.version=…).
var version string

func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// versionFlag is --version, which others have as well.
type versionFlag bool

// BeforeReset is called by the parser when it meets the flag.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	if err := (versionCmd{}).Run(); err != nil {
		return err
	}
	app.Exit(0)
	return nil
}

type versionCmd struct{}

// Run prints what was built, and with what.
func (versionCmd) Run() error {
	fmt.Printf("mirrorgate %s %s %s/%s\n", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
