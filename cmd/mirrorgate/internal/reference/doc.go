// Package reference has what README leaves out: a text for each topic, for
// mirrorgate help TOPIC, the man page and cmd/mirrorgate/REFERENCE.md.
//
//	topics/*.md  the texts, in Markdown; tables of options and metrics are filled in
//	topic.go     which topics there are, in their order: a new one is a file and a line here
//	tables.go    those tables, from the options' own help and the metrics' own
//	block.go     a text as headings, paragraphs, tables and code
//	terminal.go  a text for a terminal
//	markdown.go  all texts as one document
//	man.go       all texts and all commands as a manual page
//	find.go      the rows of tables about one word, such as a reason or an option
//
// It is pure: nothing here runs on its own, and nothing is locked.
package reference
