// Package verdict judges the sums of package tally: is the target like its
// reference, does it differ, or is it too early to say.
//
//	rule.go      what the user asks: tolerance, and latency if it counts
//	bounds.go    anytime-valid bounds of a share, and of a share less its noise
//	latency.go   anytime-valid bounds of a quantile, and of the ratio of two
//	judge.go     the hypotheses, and the verdict over all of them
//	more.go      how many more pairs it takes
//	verdict.go   Verdict, the JSON form
//	sentence.go  the same for people
//
// Everything here is a pure function of a Summary and a Rule.
package verdict
