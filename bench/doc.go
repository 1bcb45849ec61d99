// Package bench measures SPOP agents: it plays HAProxy in front of an agent and
// the targets behind it, and knows the agent by its sockets and its process
// alone, so that any agent can be measured and two can be compared.
//
//	generator ══SPOP══▶ agent ══HTTP══▶ sink
//
// The flow through the files:
//
//	load.go       what a generator sends
//	frame.go      its frames, built beforehand
//	handshake.go  one SPOP connection: the HELLO
//	conn.go       then frames out, ACKs in
//	generator.go  all connections, in a closed loop
//	openloop.go   or in an open loop, each frame when it is due
//	pace.go       which is when
//	latency.go    how long the ACKs took
//
//	sink.go       a target that counts
//	scanner.go    where requests end
//	response.go   what it responds
//	certificate.go its TLS
//	sinks.go      all targets of a run, and whether they have it all
//
//	command.go    command lines of agents and their placeholders
//	process.go    an agent as a process: start, stop, the end of its log
//	usage.go      its CPU time and memory
//	agent.go      that, or an agent that runs already
//
//	run.go        one run from start to report
//	window.go     the measured part of it
//	progress.go   what a terminal shows meanwhile
//	report.go     the figures of a run, as text and as JSON
//	compare.go    two agents in turns
//	scale.go      cost against size
//	tail.go       the longest ACKs, quiet and
//	disturbance.go with something that disturbs; flood.go has the frames of a flood
//	floors.go     mirrorgate beside the floors
//	goals.go      and each figure that was promised
//	allocated.go  such as what the agent allocates
//	sizing.go     what a request costs at a rate
//	results.go    all of it in one report
//	machine.go    and where it was measured
//
//	floor.go      the cheapest relay that can be written, to compare with
//	floor_loop.go its connections to the targets, on the event loops,
//	floor_goroutines.go or each with a goroutine, which is a higher floor
//
// What runs on its own: in a closed loop one goroutine sends and receives on each
// connection of the generator; in an open loop each only receives, and one sends on
// all of them. They share the slots of a connection, which are atomic. A sink has a
// goroutine for each connection, and the floor gnet's event loops. No lock is held
// while another one is locked: Sink.mu guards its connections, floorTarget.mu a
// queue, loopRelay.mu the list of loops, logTail.mu the end of an agent's log.
package bench
