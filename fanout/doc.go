// Package fanout takes the requests that HAProxy mirrors and sends each to the
// targets that want it, over HTTP/1.1.
//
// The way of a request through the files:
//
//	fanout.go     the whole, and its clock
//	plan.go       what is in force: groups, targets, header options; never changes
//	submit.go     one batch from an event loop: count, reject, select, one doorbell
//	internal/wire what becomes of its bytes: may it be mirrored, and how it is written
//	sample.go     which share of the traffic a group takes, and which target
//	admit.go      may it wait at the target: breaker, rate, memory, room in the queue
//	shed.go       how much drop=uniform admits
//	payload.go    the one copy in wire format that all targets share
//	payload_pool.go  the free ones, in classes
//	queue.go      the bounded queue of a target, and who goes when it is full
//	target.go     a target: its queue, its lanes, its counters
//	pace.go       whether it answers fast, which decides how lanes share the work
//	lane.go       one goroutine, one connection, one batch in flight
//	linger.go     a fast target's requests gather until they fill a batch, for a moment
//	carry.go      with batch=1 one lane of a fast target sees to the requests of several
//	answer.go     reading the answers of a batch, in order
//	simple_answer.go  the short cut for those that are as usual
//	compare.go    the answer beside that of production, where that is known
//	differences.go  the last requests whose answers differ
//	dial.go       connections: TLS, the pool
//	resolve.go    where they go: the addresses of a name, now
//	breaker.go    a target that fails costs nothing until it answers again
//	reload.go     another plan; tune.go single values, for a while; state.go says what is in force
//	steer.go      what share of its requests HAProxy should send
//	drain.go      shutdown
//	metrics.go    the accounting; config.go the options, parse.go and format.go their texts
//
// Work crosses every border in batches: Submit takes all requests of an event
// loop's wake-up, locks each target's queue once and rings its lanes once; a
// lane sends a batch in one write and counts its outcomes once.
//
// The accounting holds to the last request, whatever happens:
//
//	received  = Σ rejected{reason} + accepted                       the gateway
//	accepted  = filtered + sampled_out + Σ selected over its targets   each group
//	selected  = sent + Σ dropped{reason}                            each target
//	sent      = Σ responses{code} + Σ errors{kind}                  each target
package fanout
