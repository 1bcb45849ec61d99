// Package readings reads what the metrics say: the one reader for the lines of
// the log, the live page, status, the demo and the tests.
//
// The way through the files:
//
//	reading.go     what all metrics said at one moment
//	growth.go      what was counted between two of them
//	quantile.go    the quantiles of a histogram
//	minute.go      what the log says of each minute
//	accounting.go  what it says at the end, and whether the counters add up
package readings
