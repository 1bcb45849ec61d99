// Package options has the options of the default command: what the command line,
// the environment and the configuration file say, in this order of rank.
//
// The way of a value through the files:
//
//	flags.go    the options, and what the help says of them
//	details.go  what the reference says of them besides
//	value.go    the types that are more than a text, a number or a time
//	size.go     those that are a number of bytes
//	address.go  where HAProxy connects
//	file.go     the configuration file, which internal/configfile reads
//	sources.go  where a value comes from, and so where a mistake stands
//	maskkey.go  the key of what is hidden in recordings
//	token.go    the secret of the admin server
//	tls.go      how targets are reached over TLS; kafka.go how brokers are
//	convert.go  what fanout and engine get, and whether all of it is right
//	memory.go   how much of it there is, and for how many connections
//	warnings.go what is not wrong, but should be mended
//	reload.go   which options follow the file while mirrorgate runs
//	sheet.go    what is in force, written as a configuration file
//	secrets.go  what must not be in an error
package options
