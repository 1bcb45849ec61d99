package options

import "github.com/alecthomas/kong"

// Options are those of the default command, and of the one that checks them.
type Options struct {
	Targets Targets `name:"target" sep:"none" placeholder:"[NAME=]URL[,key=value...]" group:"targets" help:"Where copies go. Repeatable; in the environment separated by white space."`

	Sample  Share      `group:"defaults" default:"100%" placeholder:"SHARE" help:"Share of the requests that a group gets: 25% or 0.25."`
	Methods Methods    `group:"defaults" placeholder:"GET+HEAD" help:"Mirror only these methods (default: all)."`
	Rate    Rate       `group:"defaults" default:"none" placeholder:"N/s" help:"At most this many requests a second, like 200/s."`
	Conns   int        `group:"defaults" default:"64" placeholder:"N" help:"At most this many connections to a target."`
	Batch   int        `group:"defaults" placeholder:"N" help:"Requests in flight on one connection: above 1 only for targets that pipeline, or speak HTTP/2 (default: 1, over HTTP/2 64)."`
	Queue   int        `group:"defaults" default:"8192" placeholder:"N" help:"At most this many requests wait for a connection."`
	Drop    DropPolicy `group:"defaults" default:"newest" placeholder:"POLICY" help:"Who goes when the queue is full: newest, oldest, or uniform: shed at random, or by key, before it is."`
	Timeout Duration   `group:"defaults" default:"5s" placeholder:"TIME" help:"At most this long for connecting, and for each response."`
	MaxAge  Duration   `group:"defaults" default:"10s" placeholder:"TIME" help:"A request that waited longer is dropped as stale."`
	Host    string     `group:"defaults" default:"keep" placeholder:"HOST" help:"Host header: keep, target (that of the URL), or a value."`

	Listen           Addresses `sep:"none" group:"haproxy" default:"127.0.0.1:12345" placeholder:"ADDRESS" help:"Where HAProxy connects: HOST:PORT, or unix:PATH[,mode=660][,group=NAME]. Repeatable."`
	Allow            []Network `group:"haproxy" placeholder:"CIDR" help:"Who may connect, like 10.0.0.0/8 (default: everybody). Repeatable."`
	MaxConns         uint      `group:"haproxy" placeholder:"N" help:"At most this many connections from HAProxy (default: what the limits of open files and of memory allow)."`
	MaxFrameSize     FrameSize `group:"haproxy" default:"1MiB" placeholder:"BYTES" help:"Largest frame to agree on; HAProxy's own limit counts up to it. Lower than HAProxy's costs requests."`
	HandshakeTimeout Duration  `group:"haproxy" default:"5s" placeholder:"TIME" help:"At most this long from connecting to the HELLO."`
	Loops            Loops     `group:"haproxy" placeholder:"N" help:"Event loops, at most 4 for each CPU (default: one for two CPUs)."`

	Steer bool `group:"haproxy" help:"Tell HAProxy what share of its requests to send, so that what would be dropped is not sent at all. HAProxy has to heed it: see config haproxy --steer."`

	SampleBy  SampleKey `group:"requests" default:"random" placeholder:"KEY" help:"random, path, header:NAME or cookie:NAME: the same key is in or out on every agent."`
	SetHeader Headers   `group:"requests" sep:"none" placeholder:"NAME:VALUE" help:"Set a header on every copy. Repeatable; in the environment one a line."`
	DelHeader []string  `group:"requests" placeholder:"NAME" help:"Remove a header from every copy, such as authorization and cookie. Repeatable."`
	Truncated string    `group:"requests" default:"drop" placeholder:"POLICY" enum:"drop,send" help:"Requests with a body that HAProxy cut: drop or send."`
	Memory    Memory    `group:"requests" default:"512MiB" placeholder:"BYTES" help:"Bytes of payload held at most, like 512M or 2GiB; units are powers of 1024."`
	Source    Address   `group:"requests" placeholder:"IP" help:"Local address of connections to targets."`
	DNSTTL    Duration  `name:"dns-ttl" group:"requests" default:"30s" placeholder:"TIME" help:"Targets' names are looked up again after this time."`

	ForwardedFor Forwarded `group:"requests" default:"keep" placeholder:"POLICY" help:"X-Forwarded-For of requests that come with arg_src: keep it, append the client to it, or set it to the client."`

	Ignore      Lines    `sep:"none" group:"compare" placeholder:"RULE" help:"What does not count: header:NAME, json:PATH like items[].id, or path:PREFIX. Repeatable; in the environment one a line."`
	Route       Lines    `sep:"none" group:"compare" placeholder:"'METHOD /PATH'" help:"A route of its own, like 'GET /api/shops/*/orders'; others are named by method and path. Repeatable; in the environment one a line."`
	CompareBody ByteSize `group:"compare" default:"256KiB" placeholder:"BYTES" help:"Bodies of responses up to this size are looked into; larger ones are compared by hash and length."`
	CompareCPU  CPU      `name:"compare-cpu" group:"compare" default:"10%" placeholder:"SHARE" help:"Share of one core for explaining field by field how responses differ; what is beyond it is compared by hash."`
	Warmup      Duration `group:"compare" default:"30s" placeholder:"TIME" help:"Latency does not count for this time after the start, a tuning or a reload."`
	Examples    string   `group:"compare" default:"on" placeholder:"on|off" enum:"on,off" help:"Keep some of the responses that differ, in memory only, with secrets masked: on or off."`
	Mask        []string `group:"compare" placeholder:"NAME" help:"More names of headers, cookies, query and JSON fields whose values are secrets. Repeatable."`
	Unmask      []string `group:"compare" placeholder:"NAME" help:"Names that are masked by default and need not be. Needs --admin-token-file. Repeatable."`

	Trace Trace `group:"requests" default:"keep" placeholder:"POLICY" help:"The trace of a copy (traceparent, tracestate, baggage): keep production's, a new one for each copy, or drop it."`

	MaskKeyFile string `group:"requests" placeholder:"FILE" help:"File with the key of what mask= hides in recordings, the same on all hosts (default: a random key for each start)."`

	TLSCA       string `name:"tls-ca" group:"tls" placeholder:"FILE" help:"Certificates (PEM) to verify targets with (default: those of the system)."`
	TLSCert     string `name:"tls-cert" group:"tls" placeholder:"FILE" help:"Certificate (PEM) to show to targets."`
	TLSKey      string `name:"tls-key" group:"tls" placeholder:"FILE" help:"Key (PEM) of that certificate."`
	TLSInsecure bool   `name:"tls-insecure" group:"tls" help:"Do not verify targets."`

	Kafka

	Config string `group:"operation" placeholder:"FILE" help:"YAML with the names of these flags; they and the environment go over it. SIGHUP reads it again."`

	Admin          string   `group:"operation" default:"127.0.0.1:12346" placeholder:"ADDRESS" help:"Where to serve the live page, the API, metrics, health and profiles over HTTP; empty: nowhere."`
	AdminTokenFile string   `group:"operation" placeholder:"FILE" help:"File with the token that the admin address asks for, except for health; needed unless that is on loopback."`
	Drain          Duration `group:"operation" default:"10s" placeholder:"TIME" help:"At most this long to finish what is queued at a stop."`
	LogLevel       string   `group:"operation" default:"info" placeholder:"LEVEL" enum:"debug,info,warn,error" help:"debug, info, warn or error."`
	LogDifferences bool     `group:"operation" help:"Log requests that a target answers with another status than production, a few lines a second at most."`
	LogFormat      string   `group:"operation" default:"text" placeholder:"FORMAT" enum:"text,json" help:"text or json."`

	sources sources
}

// defaultsGroup is the group of the options that are keys of a target, too.
const defaultsGroup = "defaults"

// Groups are the headings of the options in the help.
var Groups = kong.ExplicitGroups([]kong.Group{
	{Key: "targets", Title: "Targets:"},
	{Key: defaultsGroup, Title: "Defaults of the targets:", Description: "Each may also stand behind a target's URL as key=value, and then is for that one. More keys stand only there: group, weight, path, hosts, set-header and others, see mirrorgate help options."},
	{Key: "haproxy", Title: "From HAProxy:"},
	{Key: "requests", Title: "Requests:"},
	{Key: "compare", Title: "Comparing targets, those with against=:"},
	{Key: "tls", Title: "TLS to targets:"},
	{Key: "kafka", Title: "Recordings in Kafka:"},
	{Key: "operation", Title: "Operation:"},
})

// Help is what --help shows above the options.
func (*Options) Help() string {
	return `HAProxy sends a copy of every request over SPOP. It is acknowledged at once and sent on to each group of targets; the targets of a group share its stream by weight, and a target without group= is a group of its own.

Everything to one target:

    mirrorgate --target http://staging:8080

A tenth of the users to staging, and the same tenth to group v2, three quarters of them to its first target:

    mirrorgate --sample 10% --sample-by cookie:session \
        --target staging=http://stg:8080 \
        --target a=http://a:80,group=v2,weight=3 \
        --target b=http://b:80,group=v2,weight=1,conns=128

Without the credentials of production's users:

    mirrorgate --target http://staging:8080 --del-header authorization --del-header cookie

Every option can be set in the environment as well, and in a file (--config):

    MIRRORGATE_TARGET="http://a:80 http://b:80,rate=200/s" mirrorgate`
}
