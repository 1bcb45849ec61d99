// Package fanout takes the requests that HAProxy mirrors and sends each to the
// targets that want it, over HTTP/1.1 or HTTP/2.
//
// The way of a request through the files, from the event loop to a target's queue:
//
//	submit.go     one batch: count, reject, select, one copy for all, one wake-up a target
//	filter.go     which requests a group wants; variant.go how the copies of targets differ
//	admit.go      may it wait at the target: breaker, rate, memory, room in the queue
//	push.go       into the queue of a target, and who goes when it is full or stale
//
// from the queue to the connection and back:
//
//	worker.go     the life of a worker: takes a share of the queue, or sleeps
//	gather.go     a fast target's requests wait for others, for a moment
//	share.go      how many requests go on which connection
//	idle.go       the connections that are idle, and a look at them before they are used
//	late.go       what did not come is waited for elsewhere
//	dial.go       new connections; resolve.go where they go: the addresses of a name, now
//	turn.go       a worker writes all, waits for a moment, reads what came
//	conn.go       a connection between and during its exchanges
//	write.go      requests out; read.go responses in
//
// or, of a target that is a recording, into a file:
//
//	recording.go  its worker takes what has gathered
//	recording_request.go  a request, and what is known of it, as a record
//	recording_file.go  in blocks to a goroutine that writes them, which package record does
//	recording_kafka.go or to a client of Kafka, see package record/kafka
//
// or, where the target speaks HTTP/2:
//
//	h2_target.go  which connections there are: who is woken, when there is one more
//	h2_write.go   requests out; h2_read.go responses in, h2_keep.go for those that are compared
//	h2_outcome.go how streams end
//	h2_mux.go     the life of a connection: takes from the queue as streams end
//
// what becomes of it:
//
//	outcome.go    a response or none; each is counted, once for many
//	trouble.go    what an error says of the target: breaker, last failure, log
//
// and of what the responses of targets say that are compared with each other:
//
//	comparing.go  a goroutine of its own compares the pairs, which package compare does
//	examples.go   keeps some
//	links.go      which targets are compared with which
//	comparisons.go  says what was found, to whoever asks
//
// and around all that:
//
//	tick.go       what is done ten times a second, for all targets
//	tune.go       single values, for a while; reload.go another Config
//	replan.go     puts either in force: which targets stay, come and go
//	state.go      says what is in force
//	drain.go      shutdown
//	room.go       whether there is room for more, and finished.go whether all has ended, for a replay
//
// What they work on, the whole before its parts: a type stands behind the code
// that uses it.
//
//	fanout.go     the Fanout
//	tunings.go    what was tuned
//	plan.go       what is in force: groups and their targets; never changes
//	target.go     a target, its workers and its connections: who owns which field
//	h2_grpc.go    what a response means in gRPC
//	socket.go     system calls that never wait, and when bytes arrived
//	buffers.go    borrowed for a moment
//	failures.go   how a target failed last
//	metrics.go    the accounting
//	comparison.go what was found of two targets; comparison_metrics.go for Prometheus
//	pair.go       a request at all targets that are compared, until each has its outcome
//	kept.go       a response that is kept while it is read
//	production.go the status beside that of production; differences.go keeps some
//	steer.go      what share of its requests HAProxy should send
//	shed.go       how much drop=uniform admits
//	pipelining.go a target that does not pipeline is sent single requests
//	breaker.go    a target that fails costs nothing until it responds again
//	pace.go       whether it responds fast, which decides how workers share the work
//	results.go    how requests ended, until it is counted
//	common.go     what targets share; memory.go what is held in all; processors.go how many run at a time
//	rate.go       a token bucket
//	reasons.go    of drops and errors
//	queue.go      entries, oldest first
//	payload_pool.go  free payloads, in classes
//	payload.go    the one copy in wire format that all targets share
//	parse.go      the texts of options; format.go the same texts again
//	config.go     the options; recording_options.go those of recordings, compare_options.go of comparing
//	h2_version.go over TLS the target chooses (ALPN)
//	size.go       the texts of sizes
//	sample.go     the number that a request is sampled by
//
// internal/wire says what becomes of a request's bytes: may it be mirrored, and how
// it is written. internal/http1 says where a response ends, internal/http2 what
// frames say.
//
// Work crosses every border in batches: Submit takes all requests of an event
// loop's wake-up, locks each target's queue once and wakes at most one of its
// workers; a worker writes to several connections, and counts their outcomes once.
//
// What runs on its own. One worker of a target at least sleeps, or never waits for a
// socket for longer than parkTime; only workers start others. A worker whose
// response is late waits for it on that connection alone, and so does one that opens
// a connection, until the exchange is over. All of them are in target.running, which
// drain waits for. An HTTP/2 connection stays in the hands of the goroutine that
// opened it, a mux, which takes requests from the queue itself; while it waits for
// bytes it can be roused for more by moving its read deadline. If its socket takes no
// more, a goroutine waits for that. A conn belongs to whoever has it: a worker or target.idle; the
// fields of a worker are its own, but for those that say "with t.mu". A recording has
// one worker, and a goroutine that writes, which only that worker waits for: a disk
// that hangs holds up no end. The tick of the Fanout runs alone, and so does the
// goroutine that lets a target go. One goroutine compares pairs, from the first plan
// with links on; it ends after all targets.
//
// Locks, in the order in which they may be held (a place among the processors is
// taken before all of them):
//
//	Fanout.mu        groups, targets, tunings, what Reload changes
//	target.mu        its queue, idle connections, workers, breaker; no payload is
//	                 touched, and no more than a block of entries moved, under it
//	pair.mu          what became of one request; event loops take it
//	comparing.mu     pairs that ended; likewise
//	comparison.mu    with the locks of package compare under it; no event loop waits for it
//	leaves: addresses.first, differences.mu, failures.mu, targetMetrics.mu,
//	                 freeList.mu; nothing else is locked under them
//
// The accounting holds to the last request, whatever happens:
//
//	received  = Σ rejected{reason} + accepted                       the gateway
//	accepted  = filtered + sampled_out + Σ selected over its targets   each group
//	selected  = sent + Σ dropped{reason}                            each target
//	sent      = Σ responses{code} + Σ errors{kind}                  each target
//	selected for both = Σ compared{result} + Σ unpaired{side,reason}   each link
package fanout
