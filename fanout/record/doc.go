// Package record keeps requests in files, to be sent again later: what was
// written, in segments, and the way to read it again while it is written.
//
// The way of a request through the files, into the recording and out again:
//
//	record.go   Record: a request in wire format and what is known of it, as a record
//	block.go    Block: records on their way into a file, compressed and with a checksum
//	parse.go    a block that came out of a file
//	segment.go  the files of a recording: their names, the lock, where the last block ends
//	writer.go   Writer: blocks into segments; ring.go the oldest segments go
//	reader.go   Reader: the records from one time to another, and where a recording is torn
//
// The format is that of Kafka's logs: a block is a record batch with magic 2
// (https://kafka.apache.org/documentation/#recordbatch), with CRC-32C and snappy, and
// a segment is a file of batches that has the offset of its first record for a name.
// So a file and a topic hold the same, and tools that dump a log of Kafka read a
// recording. What decided for it: it has all that is needed here, a checksum over
// everything, the times of the first and the last record in front of what is
// compressed, and costs no more than a format of our own. Snappy, for it costs least:
// for 444 bytes 0.4 µs, where zstd takes 2. The heads of the blocks are the index of
// times: each says how long its block is, so that a time is found by reading 61 bytes
// a block of one segment; no second file can disagree with the first one after a
// crash.
//
// A Writer and a Reader belong to one goroutine each. Any number of Readers may read
// what one Writer, of this or another process, writes.
package record
