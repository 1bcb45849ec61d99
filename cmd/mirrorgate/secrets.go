package main

import "regexp"

// What may hold secrets in the texts of errors: the userinfo of a URL, and the
// environment's headers, which kong quotes.
var (
	userinfo      = regexp.MustCompile(`://[^\s"]*@`)
	headerSetting = regexp.MustCompile(`(from envar MIRRORGATE_SET_HEADER)=".*"`)
)

// hideSecrets returns the text without them.
func hideSecrets(text string) string {
	text = userinfo.ReplaceAllLiteralString(text, "://...@")
	return headerSetting.ReplaceAllString(text, "$1")
}
