package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/probe"
)

// probeCmd asks a target what it can.
type probeCmd struct {
	URL     string           `arg:"" help:"The target, with a path that its application answers, like http://staging:8080/health."`
	Host    string           `default:"target" placeholder:"HOST" help:"Host header of the requests: target (that of the URL), or a value, such as production's."`
	Writes  bool             `help:"Send POSTs, too, of up to 1 MiB: what stands behind one in a pipeline, and how large a body may be."`
	Timeout options.Duration `default:"5s" placeholder:"TIME" help:"At most this long for connecting, and for each response."`
	JSON    bool             `name:"json" help:"Print the report as JSON."`

	TLSCA       string `name:"tls-ca" placeholder:"FILE" help:"Certificates (PEM) to verify the target with (default: those of the system)."`
	TLSCert     string `name:"tls-cert" placeholder:"FILE" help:"Certificate (PEM) to show to the target."`
	TLSKey      string `name:"tls-key" placeholder:"FILE" help:"Key (PEM) of that certificate."`
	TLSInsecure bool   `name:"tls-insecure" help:"Recommend a line that does not verify the target."`
}

// Help is what --help shows above the options.
func (*probeCmd) Help() string {
	return `It says how long the target keeps connections, whether requests can be pipelined to it, what it sends to HEAD, its TLS and HTTP/2, and the largest heads and bodies that it takes, and ends with the --target line that follows. Some 40 requests go to the path of the URL, how many is said before; POSTs only with --writes. It takes up to half a minute. Lines that begin with ! are what to heed. Exit status 0: it can be mirrored to, 1: it cannot be, or was not reached, 2: wrong use.

    mirrorgate probe http://staging:8080/health
    mirrorgate probe https://staging/ --tls-ca ca.pem --writes`
}

// Run prints the report; the plan goes to the standard error.
func (c *probeCmd) Run() error {
	request, err := c.request()
	if err != nil {
		return usageError{err}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	fmt.Fprintln(os.Stderr, request.Plan())
	report, err := probe.Run(ctx, request)
	if report == nil {
		return err
	}
	if printed := c.print(report); printed != nil {
		return printed
	}
	return err
}

func (c *probeCmd) request() (o probe.Options, err error) {
	o = probe.Options{Host: c.Host, Writes: c.Writes, Timeout: time.Duration(c.Timeout)}
	if o.URL, err = probe.ParseURL(c.URL); err != nil {
		return o, err
	}
	if err := o.Validate(); err != nil {
		return o, err
	}
	o.TLS, err = options.TLS{CA: c.TLSCA, Cert: c.TLSCert, Key: c.TLSKey, Insecure: c.TLSInsecure}.Config()
	for _, flag := range [][2]string{{"--tls-ca ", c.TLSCA}, {"--tls-cert ", c.TLSCert}, {"--tls-key ", c.TLSKey}} {
		if flag[1] != "" {
			o.TLSFlags = append(o.TLSFlags, flag[0]+flag[1])
		}
	}
	if c.TLSInsecure {
		o.TLSFlags = append(o.TLSFlags, "--tls-insecure")
	}
	return o, err
}

func (c *probeCmd) print(report *probe.Report) error {
	if !c.JSON {
		return report.Write(os.Stdout)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
