// Package console shows on a terminal what a running mirrorgate does, and changes
// it. It asks the admin server.
//
//	instance.go what each mirrorgate says, and whether that is trouble
//	merge.go   the figures of several as one
//	status.go  they are shown, once or every second
//	table.go   how they look
//	screen.go  one text after the other, in place
//	tune.go    settings that change
//	verdict.go the verdict, of one host or the sum of several
//	verdict_text.go  how it looks
//	progress.go what whoever waits for it sees
//	grid.go    tables, and JSON
package console
