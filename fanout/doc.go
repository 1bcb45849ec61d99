// Package fanout takes the requests that HAProxy mirrors and sends each to the
// targets that want it, over HTTP/1.1.
//
// The way of a request through the files:
//
//	config.go     the options, parse.go and format.go their texts
//	sample.go     which share of the traffic a group takes, and which target
//	plan.go       what is in force: groups, targets, header options; never changes
//	internal/wire what becomes of its bytes: may it be mirrored, and how it is written
//	payload.go    the one copy in wire format that all targets share
//	payload_pool.go  the free ones, in classes
//	memory.go     what is held in all; common.go what else targets share
//	admit.go      may it wait at the target: breaker, rate, memory, room in the queue
//	shed.go       how much drop=uniform admits
//	submit.go     one batch from an event loop: count, reject, select, one doorbell
//	queue.go      the bounded queue of a target
//	target.go     a target: its queue, and who goes when it is full
//
// and from the queue to the outcome:
//
//	worker.go     a goroutine that takes a share of the queue, or sleeps
//	gather.go     a fast target's requests wait for others, for a moment
//	share.go      how many requests go on which connection
//	idle.go       the connections that are idle, and a look at them before they are used
//	dial.go       new connections; resolve.go where they go: the addresses of a name, now
//	turn.go       a worker writes all, waits for a moment, reads what came
//	late.go       what did not come is waited for elsewhere
//	conn.go       a connection and the exchange on it
//	write.go      requests out; read.go responses in
//	socket.go     system calls that never wait, and when bytes arrived
//	internal/http1 where a response ends
//	results.go    how requests ended, counted once for many
//	compare.go    the response beside that of production; differences.go the last that differ
//	breaker.go    a target that fails costs nothing until it answers again; failures.go why
//	pipelining.go a target that does not pipeline is sent single requests
//	pace.go       whether it answers fast, which decides how workers share the work
//	metrics.go    the accounting
//
// and around both:
//
//	fanout.go     the whole, and its tick
//	reload.go     another plan; tune.go single values, for a while; state.go says what is in force
//	steer.go      what share of its requests HAProxy should send
//	drain.go      shutdown
//
// Work crosses every border in batches: Submit takes all requests of an event
// loop's wake-up, locks each target's queue once and wakes at most one of its
// workers; a worker writes to several connections, and counts their outcomes once.
//
// What runs on its own. A target has one worker at least, which lives as long as
// the target and never waits for a socket for longer than parkTime; only workers
// start others. A connection whose response is late, and one that has yet to be
// opened, has a goroutine of its own until its exchange is over; that then goes on
// as a worker. All of them are in target.running, which drain waits for. A conn
// belongs to whoever has it: a worker, its own goroutine, or target.idle; the
// fields of a worker are its own, but for those that say "with t.mu". The tick of
// the Fanout runs alone, and so does the goroutine that lets a target go.
//
// Locks, in the order in which they may be held:
//
//	Fanout.mu        groups, targets, tunings, what Reload changes
//	target.mu        its queue, idle connections, workers, breaker; no payload is
//	                 touched, and no more than a block of entries moved, under it
//	leaves: addresses.first, differences.mu, failures.mu, targetMetrics.mu,
//	                 freeList.mu; nothing else is locked under them
//
// The accounting holds to the last request, whatever happens:
//
//	received  = Σ rejected{reason} + accepted                       the gateway
//	accepted  = filtered + sampled_out + Σ selected over its targets   each group
//	selected  = sent + Σ dropped{reason}                            each target
//	sent      = Σ responses{code} + Σ errors{kind}                  each target
package fanout
