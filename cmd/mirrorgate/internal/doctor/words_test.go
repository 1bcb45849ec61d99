package doctor

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitWords(t *testing.T) {
	env := map[string]string{"A": "one two", "_B1": "x"}
	f := func(text string, want ...string) {
		t.Helper()
		got, err := splitWords(text, func(name string) string { return env[name] })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	f("")
	f("  \t ")
	f("# all of it")
	f("a  b\tc ", "a", "b", "c")
	f("a b#c d", "a", "b")
	f(`a\ b \# c\\`, "a b", "#", `c\`)
	f(`\x \n`, `\x`, "\n")
	f(`'a "b" # $A \n' c`, `a "b" # $A \n`, "c")
	f(`"a 'b' # \"$A\" ${A}"`, `a 'b' # "one two" one two`)
	f(`"$_B1.$A2." $A ${A}`, "x..", "$A", "${A}")
	f(`"${C-fallback}" "${A-fallback}" "${A[*]}" "$ $1 ${A"`, "fallback", "one two", "one two", "$ $1 ${A")
	f(`a"b c"'d e'f "" ''`, "ab cd ef", "", "")
	for _, text := range []string{`a "b`, `a 'b`, `"a\"`} {
		if _, err := splitWords(text, strings.ToLower); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
