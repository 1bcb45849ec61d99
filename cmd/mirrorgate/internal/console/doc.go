// Package console shows on a terminal what a running mirrorgate does, and changes
// it. It asks the admin server.
//
//	status.go  the figures, once or every second
//	table.go   how they look
//	screen.go  one text after the other, in place
//	tune.go    settings that change
package console
