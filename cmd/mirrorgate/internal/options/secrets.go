package options

import "regexp"

// What may hold secrets in the texts of errors: the userinfo of a URL, and the
// environment's headers, which kong quotes.
var (
	userinfo      = regexp.MustCompile(`://[^\s"]*@`)
	headerSetting = regexp.MustCompile(`(from envar MIRRORGATE_SET_HEADER)=".*"`)
)

// HideSecrets returns the text without secrets.
func HideSecrets(text string) string {
	text = userinfo.ReplaceAllLiteralString(text, "://...@")
	return headerSetting.ReplaceAllString(text, "$1")
}
