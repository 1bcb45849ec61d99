package options

// Details say more of an option than its help does, by its name, in Markdown: for
// mirrorgate help options, the man page and the reference.
var Details = map[string]string{
	"methods":          "`--methods GET+HEAD` keeps writes from the targets.",
	"batch":            "Over HTTP/2 they are streams, and none waits for another. Of HTTP/1.1, nginx, HAProxy, Envoy, Varnish and Go do pipeline; Puma, gunicorn and waitress do not. `mirrorgate probe` with `--writes` tells.",
	"drop":             "`uniform` sheds at random from an eighth of the queue on, the more the fuller it is, so that what is left is a fair sample in time; with `--sample-by` whole keys are shed, those with the highest hash first, so a user's session stays whole.",
	"timeout":          "It may end up to a 64th later.",
	"listen":           "Without a mode, the umask decides who may connect to a unix socket.",
	"config":           "See [options](#options) for its form.",
	"max-conns":        "The default: 64 KiB for each, of what `--memory`, a quarter of it and 64 MiB leave. When all are in use, new ones wait (32 at each `--listen`; of more, those of the address that has most are refused), unless another address has more than its equal share: of that, the oldest connection that never carried a request is ended (never one on a unix socket).",
	"max-frame-size":   "From 256 bytes to 64MiB. mirrorgate follows what HAProxy announces (`tune.bufsize` less 4) up to this. A larger frame is acknowledged, but not mirrored.",
	"admin-token-file": "It is given as a bearer token, or as the password of any user. `/healthz` and `/readyz` do not ask for it.",
	"sample-by":        "Who is in at 5% is in at 10%.",
	"set-header":       "A secret belongs into `MIRRORGATE_SET_HEADER` or the `--config` file instead: everybody on the host can read the arguments of a process.",
	"del-header":       "See [choose](#choose).",
	"truncated":        "What is sent without all of its body is marked with `X-Mirrored-Truncated: true`; so is what was [left out](#without-bodies).",
	"memory":           "From 1MiB on. Connections to targets are reckoned in it; the requests of one target hold at most half of it. The process takes up to 64 MiB more: see [sizing](#sizing).",
	"forwarded-for":    "`append` adds to what is there, in one field; `arg_src=src` has to be in HAProxy's message.",
	"trace":            "`new`: W3C Trace Context; the sampled flag stays as it was, and is set where there was none; each target then has a copy of its own. So spans of test systems do not land in production's traces.",
	"dns-ttl":          "Connections to addresses that are gone end behind what is in flight; a resolver that fails changes nothing; several addresses share the connections.",
	"steer":            "See [choose](#choose).",
	"ignore":           "`json:` takes all below the path with it, `path:` all paths that begin so.",
	"route":            "`*` stands for one segment. By default numbers, UUIDs and other ids are folded: `GET /api/users/{id}`.",
	"compare-body":     "At most 4 MiB. What is larger and encoded differently cannot be compared, and counts as uncompared.",
	"compare-cpu":      "Which pairs are explained is decided before they are looked at; the others are compared by status, headers and hash of the body.",
	"examples":         "The first 3 and the last 10 of each route and field, 8 MiB for each target.",
	"mask":             "Masked by default: Authorization, Proxy-Authorization, Cookie, Set-Cookie, X-Api-Key, JWTs anywhere, and names with token, password, secret, card, ssn or api_key in them.",
	"log-differences":  "See [compare](#compare).",
}
