package fanout

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mirrorgate/mirrorgate/fanout/internal/wire"
	"github.com/mirrorgate/mirrorgate/fanout/record"
	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// ParseTarget reads [NAME=]URL[,key=value…]. What the text does not say is taken
// from defaults; n is the target's position, from 1, for the name of one that
// has none ("t1"). The result is not validated.
func ParseTarget(text string, defaults TargetConfig, n int) (TargetConfig, error) {
	t := defaults
	parts := splitTarget(text)
	t.Name = "t" + strconv.Itoa(n)
	address := parts[0]
	if name, rest, ok := strings.Cut(address, "="); ok && !strings.ContainsAny(name, ":/?") {
		t.Name, address = name, rest
	}
	if address != "" && !strings.Contains(address, "://") && !strings.HasPrefix(address, "file:") {
		if strings.Contains(address, "@") { // perhaps behind a password
			return t, errors.New("the URL has no scheme, should be like http://host:8080")
		}
		return t, fmt.Errorf("the URL %q has no scheme, should be like http://%s", address, address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return t, fmt.Errorf("cannot read URL %q: should be like http://host:8080", address)
	}
	t.URL = u
	for _, part := range parts[1:] {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return t, fmt.Errorf("%q should be key=value, with a key of %s", part, strings.Join(TargetKeys(), ", "))
		}
		set := targetOptions[key]
		if set == nil {
			return t, fmt.Errorf("unknown key %q, should be one of %s", key, strings.Join(TargetKeys(), ", "))
		}
		if err := set(&t, value); err != nil {
			return t, err
		}
	}
	return t, nil
}

// splitTarget separates the URL from the keys. That of a topic has commas between its
// brokers.
func splitTarget(text string) []string {
	parts := strings.Split(text, ",")
	for strings.Contains(parts[0], kafka.Scheme+"://") && len(parts) > 1 {
		_, hosts, _ := strings.Cut(parts[0], "://")
		if strings.Contains(hosts, "/") {
			break
		}
		parts[1] = parts[0] + "," + parts[1]
		parts = parts[1:]
	}
	return parts
}

// targetOptions are the keys that may stand behind a target's URL.
var targetOptions = map[string]func(*TargetConfig, string) error{
	"group":       func(t *TargetConfig, v string) error { t.Group = v; return nil },
	"weight":      func(t *TargetConfig, v string) error { return parseInt("weight", v, &t.Weight) },
	"sample":      func(t *TargetConfig, v string) (err error) { t.Sample, err = ParseShare(v); return err },
	"rate":        func(t *TargetConfig, v string) (err error) { t.Rate, err = ParseRate(v); return err },
	"conns":       func(t *TargetConfig, v string) error { return parseInt("conns", v, &t.Conns) },
	"http":        func(t *TargetConfig, v string) (err error) { t.HTTP, err = ParseHTTP(v); return err },
	"batch":       func(t *TargetConfig, v string) error { return parseBatch(v, &t.Batch) },
	"queue":       func(t *TargetConfig, v string) error { return parseInt("queue", v, &t.Queue) },
	"drop":        func(t *TargetConfig, v string) (err error) { t.Drop, err = ParseDrop(v); return err },
	"timeout":     func(t *TargetConfig, v string) error { return parseDuration("timeout", v, &t.Timeout) },
	"max-age":     func(t *TargetConfig, v string) error { return parseDuration("max-age", v, &t.MaxAge) },
	"host":        func(t *TargetConfig, v string) error { t.Host = v; return nil },
	"methods":     func(t *TargetConfig, v string) error { t.Methods = ParseMethods(v); return nil },
	"max":         func(t *TargetConfig, v string) error { return parseSize("max", v, &t.Recording.Max) },
	"mask":        func(t *TargetConfig, v string) error { t.Recording.Mask = v; return nil },
	"age":         func(t *TargetConfig, v string) error { return parseAge("age", v, &t.Recording.Age) },
	"sync":        func(t *TargetConfig, v string) (err error) { t.Recording.Sync, err = record.ParseSync(v); return err },
	"path":        func(t *TargetConfig, v string) error { t.Paths = parseList(v); return nil },
	"hosts":       func(t *TargetConfig, v string) error { t.Hosts = parseList(v); return nil },
	"upgrade":     func(t *TargetConfig, v string) (err error) { t.Upgrades, err = parseBool("upgrade", v); return err },
	"set-header":  func(t *TargetConfig, v string) (err error) { t.SetHeaders, err = parseHeaders(v); return err },
	"del-header":  func(t *TargetConfig, v string) error { t.DelHeaders = parseList(v); return nil },
	"rewrite":     func(t *TargetConfig, v string) (err error) { t.Rewrite, err = wire.ParseRewrite(v); return err },
	"tls-ca":      func(t *TargetConfig, v string) error { t.TLSFiles.CA = v; return nil },
	"tls-cert":    func(t *TargetConfig, v string) error { t.TLSFiles.Cert = v; return nil },
	"tls-key":     func(t *TargetConfig, v string) error { t.TLSFiles.Key = v; return nil },
	"server-name": func(t *TargetConfig, v string) error { t.ServerName = v; return nil },
	"against":     func(t *TargetConfig, v string) error { t.Against = v; return nil },
	"noise":       func(t *TargetConfig, v string) error { t.Noise = v; return nil },
}

// TargetKeys returns the keys that ParseTarget knows, sorted.
func TargetKeys() []string {
	var keys []string
	for key := range targetOptions {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func parseInt(key, text string, to *int) error {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%s is %q, should be a whole number", key, text)
	}
	*to = n
	return nil
}

// parseBatch reads a number that is given: 0 is not, for it stands for none.
func parseBatch(text string, to *int) error {
	if err := parseInt("batch", text, to); err != nil {
		return err
	}
	if *to == 0 {
		return errBatch(0)
	}
	return nil
}

func parseDuration(key, text string, to *time.Duration) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%s is %q, should be a duration like 500ms or 5s", key, text)
	}
	*to = d
	return nil
}

func parseBool(key, text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("%s is %q, should be true or false", key, text)
	}
	return text == "true", nil
}

// listSeparator joins the items of a list on a command line.
const listSeparator = "+"

func parseList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, listSeparator)
}

// parseHeaders reads NAME:VALUE+NAME:VALUE. What separates keys, items and words on a
// command line is written in a value as %2C, %2B and %20.
func parseHeaders(text string) (all []Header, err error) {
	for _, item := range parseList(text) {
		name, value, ok := strings.Cut(item, ":")
		plain, err := url.PathUnescape(value)
		if !ok || err != nil {
			return nil, fmt.Errorf("set-header should be NAME:VALUE, with %%2C for a comma, %%2B for a plus and %%20 for a blank")
		}
		all = append(all, Header{Name: name, Value: strings.TrimSpace(plain)})
	}
	return all, nil
}

// ParseMethods reads "GET+HEAD"; "all" and an empty text mean all methods.
func ParseMethods(text string) []string {
	if text == "" || text == "all" {
		return nil
	}
	return strings.Split(text, "+")
}

// ParseShare reads a share of the requests, "25%" or "0.25", as 0 to 1.
func ParseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share >= 0 && share <= 1) {
		return 0, fmt.Errorf("sample is %q, should be a share like 25%% or 0.25", text)
	}
	return share, nil
}

// ParseRate reads a number of requests a second, "200/s" or "200"; "none" and 0
// mean no limit and give 0.
func ParseRate(text string) (float64, error) {
	if text == "none" {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
	if err != nil || !(rate >= 0) || math.IsInf(rate, 0) {
		return 0, fmt.Errorf("rate is %q, should be requests a second like 200/s", text)
	}
	return rate, nil
}
