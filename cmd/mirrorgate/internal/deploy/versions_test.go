package deploy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// known20 is what is printed and HAProxy 2.0 knows, from doc/configuration.txt and
// doc/SPOE.txt of its sources: sections, keywords, words of lines, fetches and
// converters with the number of their arguments.
const known20 = `
global frontend backend spoe-agent spoe-message
acl args balance default-server event filter http-request log messages mode option server timeout
tune.bufsize tune.maxrewrite unique-id-format use-backend
config engine spoe tcp leastconn if gt lt -m bool
http-buffer-request spop-check dontlog-normal set-on-error var-prefix
connect check server hello idle processing
inter fastinter fall rise init-addr last libc none
on-frontend-http-request on-http-response set-var/1
bool/1 concat/1 int/1 method nbsrv/1 rand/1 req.body req.body_size req.hdrs_bin req.ver
src status sub/1 unique-id url var/1
`

// newer is what later versions brought, likewise.
var newer = map[string]HAProxyVersion{
	"date/2":         {2, 1},
	"global set-var": {2, 4},
	"spop":           {3, 1},
}

// ours are names and values.
var ours = regexp.MustCompile(`^(!?mirror.*|www|error|GET|POST|\[mirror\]|proc\.mirror\.rate|[0-9.:\[\]]+|[0-9]+(ms|s|m)|unix@/.*|/spoe|%.*|host:1)$`)

// partPattern matches what commas separate: a word, or a call with its arguments.
var partPattern = regexp.MustCompile(`([^,()]+)(\([^()]*\))?`)

// words returns the words of a configuration that HAProxy has to know.
func words(text string) map[string]bool {
	found := make(map[string]bool)
	section := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		fields := strings.Fields(strings.ReplaceAll(line, `\ `, "_"))
		if len(fields) > 0 && !strings.HasPrefix(line, " ") {
			section = fields[0]
		}
		for i, field := range fields {
			_, value, isArgument := strings.Cut(field, "=")
			switch {
			case section == "global" && field == "set-var":
				found["global set-var"] = true
			case i > 0 && fields[0] == "args" && isArgument:
				expression(value, found)
			case field != "{" && field != "}":
				expression(field, found)
			}
		}
	}
	return found
}

// expression adds a fetch and its converters, or words that are neither.
func expression(text string, found map[string]bool) {
	for _, part := range partPattern.FindAllStringSubmatch(text, -1) {
		word := part[1]
		if part[2] != "" {
			word += fmt.Sprintf("/%d", 1+strings.Count(part[2], ","))
		}
		if !ours.MatchString(word) {
			found[word] = true
		}
	}
}

// variants are all kinds of configuration that are printed.
func variants() (all []HAProxy) {
	for _, after := range []bool{false, true} {
		for _, noBody := range []bool{false, true} {
			for _, steer := range []bool{false, true} {
				h := HAProxy{Agents: []string{"10.0.0.7:1", "host:1", "unix:/run/s"}, Sample: 1, SPOEFile: "/spoe",
					AfterResponse: after, NoBody: noBody, Steer: steer}
				all = append(all, h)
				h.Sample, h.Methods = 0.1, []string{"GET", "POST"}
				if !noBody {
					h.MaxBody = 65536
				}
				all = append(all, h)
			}
		}
	}
	return all
}

// What is printed for a version is what it knows, or is refused.
func TestEachVersionKnowsWhatIsPrinted(t *testing.T) {
	old := make(map[string]bool)
	for _, word := range strings.Fields(known20) {
		old[word] = true
	}
	versions := []HAProxyVersion{{2, 0}, {2, 1}, {2, 2}, {2, 3}, {2, 4}, {2, 5}, {2, 6}, {2, 7}, {2, 8}, {2, 9}, {3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 4}}
	unused := maps.Clone(old)
	for word := range newer {
		unused[word] = true
	}
	for _, version := range versions {
		for _, h := range variants() {
			h.Version = version
			if err := h.Validate(); err != nil {
				if !h.Steer || !version.before(oldestSteered) {
					t.Errorf("%s: %+v: %v", version, h, err)
				}
				continue
			}
			var text strings.Builder
			if err := h.WriteConfig(&text); err != nil {
				t.Fatal(err)
			}
			if err := h.WriteSPOE(&text); err != nil {
				t.Fatal(err)
			}
			for _, word := range slices.Sorted(maps.Keys(words(text.String()))) {
				delete(unused, word)
				since, isNewer := newer[word]
				switch {
				case isNewer && version.before(since):
					t.Errorf("HAProxy %s does not know %s, %s does; %+v", version, word, since, h)
				case !isNewer && !old[word]:
					t.Errorf("the tables do not say which HAProxy knows %q; %+v", word, h)
				}
			}
		}
	}
	if len(unused) > 0 {
		t.Errorf("nothing prints %q", slices.Sorted(maps.Keys(unused)))
	}
}
