// Package benchflags has the options that `mirrorgate bench run` and the commands
// of mirrorgate-bench share, for both read them with the same library.
package benchflags

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/mirrorgate/mirrorgate/bench"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// Vars are the defaults that options refer to by name, those of the product, so
// that it is measured as it is used.
func Vars() map[string]string {
	product := fanout.DefaultTarget()
	return map[string]string{"conns": strconv.Itoa(product.Conns), "batch": strconv.Itoa(max(1, product.Batch))}
}

// Load is what the generator sends.
type Load struct {
	Connections int           `default:"16" placeholder:"N" help:"SPOP connections." group:"Load"`
	InFlight    int           `default:"16" placeholder:"N" help:"Frames that wait for their ACK on each connection (closed loop). 1: in an open loop too, for agents without pipelining." group:"Load"`
	Rate        float64       `placeholder:"N" help:"Requests a second (open loop); latencies count from when a request was due. 0: closed loop." group:"Load"`
	Body        int           `placeholder:"N" help:"Bytes of body of each request." group:"Load"`
	Headers     int           `default:"8" placeholder:"N" help:"Header fields of each request." group:"Load"`
	Warmup      time.Duration `default:"1s" placeholder:"TIME" help:"Time before the measurement." group:"Load"`
	Duration    time.Duration `default:"5s" placeholder:"TIME" help:"Time that is measured." group:"Load"`
}

// Sinks are what stands behind the agent.
type Sinks struct {
	Sink      string         `default:"127.0.0.1:0" placeholder:"ADDR" help:"Where the counting target listens." group:"Sink"`
	SinkMode  bench.SinkMode `default:"ok" enum:"ok,delay,hang,reset,close-each,chunked,big,fields,5xx" placeholder:"MODE" help:"What it does: ok, delay, hang, reset, close-each, chunked, big, fields or 5xx." group:"Sink"`
	SinkDelay time.Duration  `default:"10ms" placeholder:"TIME" help:"Time that it takes for each response in mode delay." group:"Sink"`
	Targets   int            `default:"1" placeholder:"N" help:"Number of such targets, on consecutive ports. 0: measure ACKs only." group:"Sink"`
}

// Sizes is what commands of agents are told.
type Sizes struct {
	Conns int `default:"${conns}" placeholder:"N" help:"What {conns} in a command becomes: connections to each target." group:"Agent"`
	Batch int `default:"${batch}" placeholder:"N" help:"What {batch} in a command becomes: requests in flight on each." group:"Agent"`
}

// Output is where the report goes.
type Output struct {
	JSON bool   `help:"Write JSON." group:"Output"`
	Out  string `placeholder:"FILE" help:"Write to this file instead of the standard output." group:"Output"`
}

// Config puts the options together. What is to be measured is missing still.
func Config(a Sizes, l Load, s Sinks) bench.RunConfig {
	return bench.RunConfig{
		Conns: a.Conns, Batch: a.Batch,
		Sink: bench.SinkConfig{Addr: s.Sink, Targets: s.Targets, Mode: s.SinkMode, Delay: s.SinkDelay},
		Load: bench.Load{
			Connections: l.Connections, InFlight: l.InFlight, Rate: l.Rate,
			Body: l.Body, Headers: l.Headers, Warmup: l.Warmup, Duration: l.Duration,
		},
		Progress: Progress(),
	}
}

// Progress is where a run may show how it goes, nil if nobody watches.
func Progress() io.Writer {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return os.Stderr
	}
	return nil
}

// Write sends the report, by one of the two functions, to where the options say.
func (o Output) Write(text, json func(io.Writer) error) error {
	report := text
	if o.JSON {
		report = json
	}
	if o.Out == "" {
		return report(os.Stdout)
	}
	f, err := os.Create(o.Out)
	if err != nil {
		return fmt.Errorf("cannot write --out: %w", err)
	}
	if err := report(f); err != nil {
		f.Close()
		return fmt.Errorf("cannot write --out: %w", err)
	}
	return f.Close()
}
