// Package configfile reads a configuration file: YAML whose keys are the names
// of the options, and whose values are what the command line takes.
//
//	read.go    the bytes of it: of a regular file, and not too many
//	depth.go   that it is not nested too deep for the parser
//	file.go    the file as a whole, and where in it something stands
//	value.go   the value of an option: one, or a list
//	target.go  targets and headers, which may be mappings as well
//
// What it returns are the texts of the options, so that whoever reads the
// command line reads the file with the same eyes.
package configfile
