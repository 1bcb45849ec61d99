// Package doctor reads a HAProxy configuration as HAProxy does and says what in
// it will go wrong for whoever mirrors with it, where, and what the fix is.
//
// The way through the files:
//
//	doctor.go     all checks of a configuration, in order; what they find
//	check.go      what HAProxy itself says
//	words.go      a line into words: quotes, escapes, comments, environment
//	config.go     lines into sections; what a proxy inherits from defaults
//	spoe.go       the SPOE file: engines, their agent, messages and groups
//	agent.go      checks of the spoe-agent
//	message.go    checks of a message: its arguments, and when it is sent
//	condition.go  what a condition refers to: acls and variables
//	servers.go    checks of the backend that leads to mirrorgate
//	buffer.go     checks of sizes
//	targets.go    whether a target of mirrorgate is production
//	handshake.go  asking a running agent
//
// It looks for what HAProxy takes and does; what HAProxy does not take, HAProxy itself
// says. Both branches of an .if are read.
package doctor
