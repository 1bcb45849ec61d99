package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/mirrorgate/mirrorgate/bench"
)

type floorCmd struct {
	Listen string   `default:"127.0.0.1:12345" placeholder:"ADDR" help:"Where to take SPOP."`
	Target []string `placeholder:"ADDR" help:"HOST:PORT of a sink in mode ok or delay; repeatable. None: only acknowledge."`
	Conns  int      `default:"${conns}" placeholder:"N" help:"Connections to each target."`
	Batch  int      `default:"${batch}" placeholder:"N" help:"Requests in flight on each."`
	Queue  int      `default:"8192" placeholder:"N" help:"Requests that wait for each target at the most."`

	Goroutines bool `help:"Give each connection to a target a goroutine, instead of having them on the event loops."`
	TLS        bool `name:"tls" help:"Speak TLS to the targets, which are not verified; with --goroutines."`
}

// Run relays until a signal, and says what it dropped.
func (c *floorCmd) Run() error {
	ctx, stop := interruptible()
	defer stop()
	f, err := bench.StartFloor(bench.FloorConfig{
		Listen: c.Listen, Loops: shareProcessors(), Targets: c.Target, Conns: c.Conns, Batch: c.Batch, Queue: c.Queue,
		Goroutines: c.Goroutines, TLS: c.TLS,
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	err = f.Close()
	fmt.Fprintf(os.Stderr, "dropped %d requests\n", f.Dropped())
	return err
}

// shareProcessors returns as many event loops as mirrorgate would have, and gives
// the runtime as many processors as there: one more than loops at the least.
func shareProcessors() (loops int) {
	cores := runtime.GOMAXPROCS(0)
	loops = max(1, cores/2)
	runtime.GOMAXPROCS(max(cores, loops+1))
	return loops
}

// Help is what --help shows above the options.
func (*floorCmd) Help() string {
	return `It acknowledges frames and sends the first request ever after; nothing is parsed or checked. It is what mirrorgate-bench compare measures against. Its connections to the targets are on the event loops that read the frames; with --goroutines each has one of its own, which is a higher floor:

    mirrorgate-bench compare --b '` + bench.GoroutineFloorCommand + `'
    mirrorgate-bench compare --a '` + bench.GoroutineFloorCommand + `' --b '` + bench.FloorCommand + `'`
}

type sinkCmd struct {
	Listen string `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Where to take HTTP."`
}

// Run responds until a signal, and says how many requests came.
func (c *sinkCmd) Run() error {
	ctx, stop := interruptible()
	defer stop()
	sink, err := bench.ListenSink(c.Listen, bench.SinkOK, 0)
	if err != nil {
		return err
	}
	<-ctx.Done()
	sink.Close()
	fmt.Println(sink.Requests())
	return nil
}
