package options

import (
	"encoding"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/configfile"
	"github.com/mirrorgate/mirrorgate/fanout"
)

// sheet is a configuration file with the source behind each value.
type sheet []sheetLine

type sheetLine struct{ text, source string }

func (s *sheet) add(source, format string, args ...any) {
	*s = append(*s, sheetLine{fmt.Sprintf(format, args...), source})
}

func (s sheet) write(w io.Writer) {
	width := 0
	for _, line := range s {
		width = max(width, len(line.text))
	}
	for _, line := range s {
		if line.source == "" {
			fmt.Fprintln(w, line.text)
		} else {
			fmt.Fprintf(w, "%-*s  # %s\n", width, line.text, line.source)
		}
	}
}

// WriteSheet writes all options that are in force, as a configuration file that
// says where each value comes from; the targets, which are long, at its end.
// Values of headers are hidden.
func (o *Options) WriteSheet(w io.Writer, targets []fanout.TargetConfig) {
	var s sheet
	for _, flag := range o.sources.flags {
		if flag.Name != targetOption {
			o.addOption(&s, flag)
		}
	}
	s.add("", "%s:", targetOption)
	for i := range targets {
		o.addTarget(&s, i, &targets[i])
	}
	s.write(w)
}

func (o *Options) addOption(s *sheet, flag *kong.Flag) {
	source := o.sources.of(flag, 0, "")
	defaults := o.targetDefaults()
	texts := optionTexts(flag, &defaults)
	unset := !flag.HasDefault && flag.Target.IsZero() && !flag.IsBool()
	switch {
	case unset && source == "default":
		s.add("not set", "# %s:", flag.Name)
	case flag.Name == configOption:
		s.add(source, "# %s: %s", flag.Name, texts[0])
	case fileKind(flag) == configfile.Single:
		s.add(source, "%s: %s", flag.Name, yamlText(texts[0]))
	default:
		s.add("", "%s:", flag.Name)
		for i, text := range texts {
			s.add(o.sources.of(flag, i, ""), "  - %s", text)
		}
	}
}

func (o *Options) addTarget(s *sheet, i int, t *fanout.TargetConfig) {
	from := func(key string) string { return o.sourceOfKey(i, key) }
	s.add(from("name"), "  - name: %s", yamlText(t.Name))
	s.add(from("url"), "    url: %s", yamlText(t.URL.String()))
	for _, key := range fanout.TargetKeys() {
		switch text := t.Text(key); {
		case text == "" || key == "group" && t.Group == "":
		case key == "set-header": // the values may be secrets
			var names []string
			for _, h := range t.SetHeaders {
				names = append(names, yamlText(h.Name)+": (hidden)")
			}
			s.add(from(key), "    %s: {%s}", key, strings.Join(names, ", "))
		default:
			s.add(from(key), "    %s: %s", key, yamlText(text))
		}
	}
}

// sourceOfKey says where target i has the value of a key from: its own text, or
// the option of that name.
func (o *Options) sourceOfKey(i int, key string) string {
	own := key == "name" || key == "url" || strings.Contains(o.Targets[i], ","+key+"=")
	for _, flag := range o.sources.flags {
		switch {
		case own && flag.Name == targetOption:
			return o.sources.of(flag, i, key)
		case !own && flag.Name == key:
			return o.sources.of(flag, 0, "")
		}
	}
	return "default"
}

// optionTexts returns the values of an option as a file would have them; those
// of headers may be secrets.
func optionTexts(flag *kong.Flag, defaults *fanout.TargetConfig) (texts []string) {
	if fileKind(flag) == configfile.Single {
		if flag.Group != nil && flag.Group.Key == defaultsGroup {
			return []string{defaults.Text(flag.Name)}
		}
		return []string{valueText(flag.Target)}
	}
	for i := range flag.Target.Len() {
		v := flag.Target.Index(i)
		if h, ok := v.Interface().(fanout.Header); ok {
			texts = append(texts, yamlText(h.Name)+": (hidden)")
		} else {
			texts = append(texts, yamlText(valueText(v)))
		}
	}
	return texts
}

func valueText(v reflect.Value) string {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(v.Interface())
}

var plainYAML = regexp.MustCompile(`^[A-Za-z0-9/][A-Za-z0-9/._+:%=,-]*[A-Za-z0-9/._+%=-]$|^[A-Za-z0-9/]$`)

// yamlText quotes a text where YAML would take it for something else.
func yamlText(text string) string {
	if plainYAML.MatchString(text) && !strings.EqualFold(text, "null") {
		return text
	}
	return strconv.Quote(text)
}
