// Package kafka keeps recordings in a topic of Kafka, for what one machine cannot hold.
//
//	address.go  where: brokers and a topic, as a URL
//	login.go    how to get in: TLS and SASL
//	record.go   a request as a record of Kafka, and back
//	reader.go   Reader: the records of a topic by their time; group.go as a member of a group
//
// A Reader belongs to one goroutine; what its client tells from goroutines of its own is
// behind Reader.mu, which nothing waits under.
package kafka
