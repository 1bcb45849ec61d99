// Package doctor reads a HAProxy configuration as HAProxy does and says what in
// it will bite whoever mirrors with it, where, and how it is mended.
//
// The way through the files:
//
//	doctor.go     all checks of a configuration, in order; what they find
//	words.go      a line into words: quotes, escapes, comments, environment
//	config.go     lines into sections; what a proxy inherits from defaults
//	spoe.go       the SPOE file: engines, their agent, messages and groups
//	agent.go      checks of the spoe-agent
//	message.go    checks of a message: its arguments, and when it is sent
//	condition.go  what a condition refers to: acls and variables
//	servers.go    checks of the backend that leads to mirrorgate
//	buffer.go     checks of sizes
//	handshake.go  asking a running agent
//
// It trusts that haproxy -c has nothing to say: it looks for what HAProxy takes
// and does. Both branches of an .if are read.
package doctor
