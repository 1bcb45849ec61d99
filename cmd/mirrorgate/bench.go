package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mirrorgate/mirrorgate/bench"
	"golang.org/x/term"
)

// benchCmd measures agents of any make.
type benchCmd struct {
	Run     benchRunCmd     `cmd:"" help:"Measure one agent: deliveries, ACK latency, CPU and memory."`
	Compare benchCompareCmd `cmd:"" help:"Measure two agents in turns under the same load."`
	Scale   benchScaleCmd   `cmd:"" help:"Measure the cost against targets, connections, bodies and batch."`
	Floor   benchFloorCmd   `cmd:"" help:"Be the cheapest relay that can be written, to compare with."`
	Sink    benchSinkCmd    `cmd:"" hidden:"" help:"Be a target that only counts."`
	Results benchResultsCmd `cmd:"" help:"Measure all of it and write a report."`
}

type benchLoadFlags struct {
	Connections int           `default:"16" placeholder:"N" help:"SPOP connections." group:"Load"`
	InFlight    int           `default:"16" placeholder:"N" help:"Frames that wait for their ACK on each connection (closed loop)." group:"Load"`
	Rate        float64       `placeholder:"N" help:"Requests a second (open loop); latencies count from when a request was due. 0: closed loop." group:"Load"`
	Body        int           `placeholder:"N" help:"Bytes of body of each request." group:"Load"`
	Headers     int           `default:"8" placeholder:"N" help:"Header fields of each request." group:"Load"`
	Warmup      time.Duration `default:"1s" placeholder:"TIME" help:"Time before the measurement." group:"Load"`
	Duration    time.Duration `default:"5s" placeholder:"TIME" help:"Time that is measured." group:"Load"`
}

type benchSinkFlags struct {
	Sink      string         `default:"127.0.0.1:0" placeholder:"ADDR" help:"Where the counting target listens." group:"Sink"`
	SinkMode  bench.SinkMode `default:"ok" enum:"ok,delay,hang,reset,close-each,chunked,big,5xx" placeholder:"MODE" help:"What it does: ok, delay, hang, reset, close-each, chunked, big or 5xx." group:"Sink"`
	SinkDelay time.Duration  `default:"10ms" placeholder:"TIME" help:"Time that it takes for each answer in mode delay." group:"Sink"`
	Targets   int            `default:"1" placeholder:"N" help:"Number of such targets, on consecutive ports. 0: measure ACKs only." group:"Sink"`
}

type benchAgentFlags struct {
	Conns int `default:"64" placeholder:"N" help:"What {conns} in a command becomes: connections to each target." group:"Agent"`
	Batch int `default:"64" placeholder:"N" help:"What {batch} in a command becomes: requests in flight on each." group:"Agent"`
}

type benchOutputFlags struct {
	JSON bool   `help:"Write JSON." group:"Output"`
	Out  string `placeholder:"FILE" help:"Write to this file instead of the standard output." group:"Output"`
}

type benchRunCmd struct {
	Agent string `xor:"agent" placeholder:"ADDR" help:"Measure an agent that runs already on HOST:PORT or unix:PATH and sends to --sink." group:"Agent"`
	Exec  string `xor:"agent" placeholder:"COMMAND" help:"Start this agent and measure it (default: this binary)." group:"Agent"`
	benchAgentFlags
	benchLoadFlags
	benchSinkFlags
	benchOutputFlags
}

// Run measures and reports.
func (c *benchRunCmd) Run() error {
	cfg := benchConfig(c.benchAgentFlags, c.benchLoadFlags, c.benchSinkFlags)
	cfg.Agent = c.Agent
	cfg.Command = cmp.Or(c.Exec, bench.DefaultCommand)
	ctx, stop := benchContext()
	defer stop()
	r, err := bench.Run(ctx, cfg)
	if err != nil {
		return err
	}
	return c.write(r.WriteText, r.WriteJSON)
}

type benchCompareCmd struct {
	A      string `placeholder:"COMMAND" help:"The one agent (default: this binary)." group:"Agent"`
	B      string `placeholder:"COMMAND" help:"The other agent (default: the floor)." group:"Agent"`
	Rounds int    `default:"5" placeholder:"N" help:"Times that both are measured." group:"Load"`
	benchAgentFlags
	benchLoadFlags
	benchSinkFlags
	benchOutputFlags
}

// Run compares and reports.
func (c *benchCompareCmd) Run() error {
	ctx, stop := benchContext()
	defer stop()
	cfg := benchConfig(c.benchAgentFlags, c.benchLoadFlags, c.benchSinkFlags)
	r, err := bench.Compare(ctx, cfg, cmp.Or(c.A, bench.DefaultCommand), cmp.Or(c.B, bench.FloorCommand), c.Rounds)
	if err != nil {
		return err
	}
	return c.write(r.WriteText, r.WriteJSON)
}

type benchScaleCmd struct {
	Exec string `placeholder:"COMMAND" help:"The agent (default: this binary)." group:"Agent"`
	Plot string `placeholder:"FILE" help:"Draw the cost into this file (.svg or .png)." group:"Output"`
	benchAgentFlags
	benchLoadFlags
	benchSinkFlags
	benchOutputFlags
}

// Run measures all sizes and reports.
func (c *benchScaleCmd) Run() error {
	ctx, stop := benchContext()
	defer stop()
	cfg := benchConfig(c.benchAgentFlags, c.benchLoadFlags, c.benchSinkFlags)
	cfg.Command = cmp.Or(c.Exec, bench.DefaultCommand)
	sweeps, err := bench.Scale(ctx, cfg)
	if err != nil {
		return err
	}
	if c.Plot != "" {
		if err := bench.SavePlot(c.Plot, sweeps); err != nil {
			return err
		}
	}
	return c.write(
		func(w io.Writer) error { return bench.WriteSweepsText(w, sweeps) },
		func(w io.Writer) error { return bench.WriteSweepsJSON(w, sweeps) })
}

type benchFloorCmd struct {
	Listen string   `default:"127.0.0.1:12345" placeholder:"ADDR" help:"Where to take SPOP."`
	Target []string `required:"" placeholder:"ADDR" help:"HOST:PORT of a sink in mode ok or delay; repeatable."`
	Conns  int      `default:"64" placeholder:"N" help:"Connections to each target."`
	Batch  int      `default:"64" placeholder:"N" help:"Requests in flight on each."`
	Queue  int      `default:"8192" placeholder:"N" help:"Requests that wait for each target at the most."`
}

// Run relays until a signal, and says what it dropped.
func (c *benchFloorCmd) Run() error {
	ctx, stop := benchContext()
	defer stop()
	f, err := bench.StartFloor(bench.FloorConfig{
		Listen: c.Listen, Loops: shareProcessors(0), Targets: c.Target, Conns: c.Conns, Batch: c.Batch, Queue: c.Queue,
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	err = f.Close()
	fmt.Fprintf(os.Stderr, "dropped %d requests\n", f.Dropped())
	return err
}

type benchSinkCmd struct {
	Listen string `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Where to take HTTP."`
}

// Run answers until a signal.
func (c *benchSinkCmd) Run() error {
	ctx, stop := benchContext()
	defer stop()
	sink, err := bench.ListenSink(c.Listen, bench.SinkOK, 0)
	if err != nil {
		return err
	}
	<-ctx.Done()
	sink.Close()
	return nil
}

type benchResultsCmd struct {
	Out      string        `default:"bench/RESULTS.md" placeholder:"FILE" help:"Markdown file to write; the picture scale.svg goes beside it."`
	Micro    string        `type:"existingfile" placeholder:"FILE" help:"Output of Go's micro-benchmarks to take in."`
	Rounds   int           `default:"5" placeholder:"N" help:"Times that each comparison is measured."`
	Duration time.Duration `default:"4s" placeholder:"TIME" help:"Time that each run is measured."`
}

// Run measures everything.
func (c *benchResultsCmd) Run() error {
	ctx, stop := benchContext()
	defer stop()
	var micro []byte
	if c.Micro != "" {
		var err error
		if micro, err = os.ReadFile(c.Micro); err != nil {
			return fmt.Errorf("cannot read --micro: %w", err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this binary: %w", err)
	}
	production, err := benchProduction(ctx, self, productionRounds, productionDuration)
	if err != nil {
		return err
	}
	return bench.SaveResults(ctx, c.Out, bench.ResultsConfig{
		Rounds: c.Rounds, Duration: c.Duration, Micro: string(micro), Production: production, Progress: benchProgress(),
	})
}

const benchCommandHelp = "In the command line of an agent " + bench.Placeholders + " This binary is\n\n    " +
	bench.DefaultCommand + "\n\nand the floor\n\n    " + bench.FloorCommand

// Help is what --help shows above the options.
func (*benchRunCmd) Help() string {
	return `How much this machine can carry, and what it costs at a given rate:

    mirrorgate bench run
    mirrorgate bench run --rate 20000 --targets 4 --body 1000

` + benchCommandHelp + "\n\nThe keys of --json: " + bench.ReportKeys
}

// Help is what --help shows above the options.
func (*benchCompareCmd) Help() string {
	return `Against the cheapest relay that can be written, and against another binary:

    mirrorgate bench compare
    mirrorgate bench compare --b '/usr/local/bin/mirrorgate --listen {listen} --admin= --target http://{target}'

` + benchCommandHelp
}

// Help is what --help shows above the options.
func (*benchScaleCmd) Help() string {
	return `A table for each, and a picture:

    mirrorgate bench scale --rate 20000 --plot cost.svg

` + benchCommandHelp
}

func benchConfig(a benchAgentFlags, l benchLoadFlags, s benchSinkFlags) bench.RunConfig {
	return bench.RunConfig{
		Conns: a.Conns, Batch: a.Batch,
		Sink: bench.SinkConfig{Addr: s.Sink, Targets: s.Targets, Mode: s.SinkMode, Delay: s.SinkDelay},
		Load: bench.Load{
			Connections: l.Connections, InFlight: l.InFlight, Rate: l.Rate,
			Body: l.Body, Headers: l.Headers, Warmup: l.Warmup, Duration: l.Duration,
		},
		Progress: benchProgress(),
	}
}

// benchProgress is where a progress bar belongs, nil if nobody watches.
func benchProgress() io.Writer {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return os.Stderr
	}
	return nil
}

func benchContext() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// write sends the report to where the flags say.
func (o benchOutputFlags) write(text, json func(io.Writer) error) error {
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
