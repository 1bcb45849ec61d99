package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/deploy"
	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/options"
)

// configCmd prints what surrounds mirrorgate.
type configCmd struct {
	Haproxy    configHAProxyCmd    `cmd:"" name:"haproxy" help:"Print HAProxy's configuration for mirroring."`
	Systemd    configSystemdCmd    `cmd:"" help:"Print a systemd unit for this binary."`
	Prometheus configPrometheusCmd `cmd:"" help:"Print alert rules for Prometheus."`
	Grafana    configGrafanaCmd    `cmd:"" help:"Print a dashboard for Grafana."`
}

type configHAProxyCmd struct {
	Haproxy  deploy.HAProxyVersion `name:"haproxy" default:"2.6" placeholder:"VERSION" help:"HAProxy's version, like 2.6, 3.0 or 3.2."`
	Agents   []string              `placeholder:"ADDRESS" help:"Where mirrorgate listens: HOST:PORT or unix:PATH, one or several."`
	Sample   options.Share         `default:"100%" placeholder:"SHARE" help:"Share of the requests that HAProxy sends to mirrorgate at all: 10% or 0.1."`
	MaxBody  options.ByteSize      `placeholder:"BYTES" help:"Bodies up to this size have to arrive whole, like 64k (default: what fits into HAProxy's buffer, about 15k)."`
	NoBody   bool                  `help:"Leave all bodies out: see mirrorgate help haproxy."`
	Methods  options.Methods       `placeholder:"GET+HEAD" help:"Mirror only these methods (default: all)."`
	Event    string                `default:"request" placeholder:"EVENT" enum:"request,response" help:"Mirror when the request is there, or when its response is (response), to compare what targets answer."`
	GRPC     bool                  `name:"grpc" help:"The frontend carries gRPC, too: do not buffer what a client streams. See mirrorgate help grpc."`
	Unary    []string              `placeholder:"PATH" help:"With --grpc, mirror of gRPC only these methods, which have to be unary: /pkg.Service/Method, or /pkg.Service/*. Repeatable."`
	Steer    bool                  `help:"Let mirrorgate --steer tell HAProxy how much to send."`
	SPOEFile string                `name:"spoe-file" default:"/etc/haproxy/spoe-mirror.conf" placeholder:"PATH" help:"Where the SPOE file will be."`
	Part     string                `default:"all" placeholder:"PART" enum:"all,haproxy,spoe" help:"all, or only the lines for haproxy.cfg (haproxy) or the SPOE file (spoe)."`
}

// Run prints the parts.
func (c *configHAProxyCmd) Run() error {
	h := deploy.HAProxy{
		Version: c.Haproxy, Agents: c.Agents, Sample: float64(c.Sample), MaxBody: int64(c.MaxBody),
		Methods: c.Methods, SPOEFile: c.SPOEFile, AfterResponse: c.Event == "response", Steer: c.Steer, NoBody: c.NoBody,
		GRPC: c.GRPC, Unary: c.Unary,
	}
	if err := h.Validate(); err != nil {
		return usageError{fmt.Errorf("config haproxy: %w", err)}
	}
	if c.Part != "spoe" {
		c.title("haproxy.cfg")
		if err := h.WriteConfig(os.Stdout); err != nil {
			return err
		}
	}
	if c.Part == "haproxy" {
		return nil
	}
	c.title(c.SPOEFile)
	return h.WriteSPOE(os.Stdout)
}

// title heads a part where several are printed.
func (c *configHAProxyCmd) title(file string) {
	if c.Part == "all" {
		fmt.Printf("# ======== %s %s\n", file, strings.Repeat("=", max(0, 68-len(file))))
	}
}

// Help is what --help shows above the options.
func (*configHAProxyCmd) Help() string {
	return `Two files are printed: lines to merge into haproxy.cfg, section by section, and the SPOE file. --part prints one of them:

    mirrorgate config haproxy --haproxy 3.2 --agents 10.0.0.7:12345,10.0.0.8:12345
    mirrorgate config haproxy --agents 10.0.0.7:12345 --max-body 64k --part spoe > /etc/haproxy/spoe-mirror.conf

A tenth of the GET requests, to an agent on the same host:

    mirrorgate config haproxy --agents unix:/run/mirrorgate/spop.sock --sample 10% --methods GET`
}

type configSystemdCmd struct {
	Config string           `placeholder:"FILE" help:"Configuration file that the unit names. Its limits follow from memory and drain there."`
	Memory options.Memory   `placeholder:"BYTES" help:"Bytes of payload held at most, whatever the file says."`
	Drain  options.Duration `placeholder:"TIME" help:"How long a stop may take, whatever the file says."`
}

// Run prints the unit.
func (c *configSystemdCmd) Run() error {
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the path of this binary: %w", err)
	}
	if deploy.HiddenFromService(binary) {
		fmt.Fprintf(os.Stderr, "mirrorgate: a service cannot run %s: install it to /usr/local/bin and run it from there for its unit\n", binary)
	}
	args, err := c.args()
	if err != nil {
		return err
	}
	_, started, err := parse(args)
	if err != nil {
		return err
	}
	o := &started.Run.Options
	s := deploy.Systemd{Binary: binary, Options: args, Memory: int64(o.Memory), Drain: time.Duration(o.Drain)}
	s.Conns = options.ConnsWithin(s.MemoryMax(), s.Memory)
	return s.WriteUnit(os.Stdout)
}

// args returns the command line of the unit: what was asked for, and nothing else,
// for it goes over what files say.
func (c *configSystemdCmd) args() (args []string, err error) {
	if c.Config != "" {
		path, err := filepath.Abs(c.Config)
		if err != nil {
			return nil, fmt.Errorf("cannot find the path of %s: %w", c.Config, err)
		}
		args = append(args, "--config", path)
	}
	if c.Memory > 0 {
		args = append(args, "--memory", c.Memory.String())
	}
	if c.Drain > 0 {
		args = append(args, "--drain", c.Drain.String())
	}
	return args, nil
}

// Help is what --help shows above the options.
func (*configSystemdCmd) Help() string {
	return `The unit runs this binary from where it is now, as a user of its own that may do nothing but open sockets. It names no other options than those given here:

    mirrorgate config systemd --config /etc/mirrorgate.yml > /etc/systemd/system/mirrorgate.service

Without a file, the options go to /etc/default/mirrorgate:

    mirrorgate config systemd --memory 2GiB > /etc/systemd/system/mirrorgate.service
    echo MIRRORGATE_TARGET=http://staging:8080 > /etc/default/mirrorgate`
}

type configPrometheusCmd struct {
	Part string `default:"rules" placeholder:"PART" enum:"rules,scrape" help:"rules: alert rules; scrape: what to add to scrape_configs."`
}

// Run prints one of the two.
func (c *configPrometheusCmd) Run() error {
	text := deploy.Alerts
	if c.Part == "scrape" {
		text = deploy.Scrape
	}
	_, err := os.Stdout.WriteString(text)
	return err
}

// Help is what --help shows above the options.
func (*configPrometheusCmd) Help() string {
	return `Alerts for slow acknowledgements, drops, a target that is down or fails, hosts that are gone, loops, messages that are ignored, truncated bodies, memory near its limit, and no traffic:

    mirrorgate config prometheus > /etc/prometheus/mirrorgate.yml
    mirrorgate config prometheus --part scrape`
}

type configGrafanaCmd struct{}

// Run prints the dashboard.
func (*configGrafanaCmd) Run() error { return deploy.WriteDashboard(os.Stdout) }

// Help is what --help shows above the options.
func (*configGrafanaCmd) Help() string {
	return `Import the file in Grafana (Dashboards, New, Import); it asks for the Prometheus that scrapes /metrics:

    mirrorgate config grafana > mirrorgate.json`
}
