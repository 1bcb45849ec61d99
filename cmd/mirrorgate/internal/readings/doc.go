// Package readings reads what the metrics say: the one reader for the lines of
// the log, the live page, status, the demo and the tests.
//
// The way through the files:
//
//	reading.go     what all metrics said at one moment
//	growth.go      what was counted between two of them
//	quantile.go    the quantiles of a histogram
//	accounting.go  whether the counters of a moment add up
package readings
