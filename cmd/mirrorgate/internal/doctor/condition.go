package doctor

import (
	"regexp"
	"strings"
)

var variablePattern = regexp.MustCompile(`\bvar\(([^),]+)`)

// reach returns the text of a condition and of all that it refers to: the acls of
// its section, and the rules that set its variables with their conditions.
func (u use) reach(condition []string, acls *section) string {
	var text strings.Builder
	seen := make(map[*line]bool)
	var walk func(words []string, acls *section)
	walk = func(words []string, acls *section) {
		for _, word := range words {
			text.WriteString(word + " ")
			for _, acl := range acls.all("acl") {
				if acl.word(1) == strings.TrimLeft(word, "!") && !seen[acl] {
					seen[acl] = true
					walk(acl.words[2:], acls)
				}
			}
			for _, variable := range variablePattern.FindAllStringSubmatch(word, -1) {
				for _, rule := range u.setters(variable[1]) {
					if !seen[rule] {
						seen[rule] = true
						walk(rule.words[2:], u.proxy)
					}
				}
			}
		}
	}
	walk(condition, acls)
	return strings.ToLower(text.String())
}

// setters returns the rules of the proxy that set a variable.
func (u use) setters(variable string) (rules []*line) {
	for _, l := range u.proxy.all("http-request") {
		action, rest, ok := strings.Cut(l.word(1), "(")
		if ok && strings.HasPrefix(action, "set-var") && strings.TrimRight(strings.Split(rest, ",")[0], ")") == variable {
			rules = append(rules, l)
		}
	}
	return rules
}
