package admin

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
)

//go:embed page.html page_verdict.css page_verdict.js
var pageParts embed.FS

// page is the live page: it asks the API, and nothing else. It has one style and one
// script, made of several files.
var page = assemble("page.html", "page_verdict.css", "page_verdict.js")

// assemble puts the parts where the page names them in a comment.
func assemble(name string, parts ...string) []byte {
	text := part(name)
	for _, p := range parts {
		place := []byte("/* " + p + " */")
		if bytes.Count(text, place) != 1 {
			panic("BUG: the page has no place for " + p)
		}
		text = bytes.Replace(text, place, bytes.TrimSpace(part(p)), 1)
	}
	return text
}

func part(name string) []byte {
	text, err := pageParts.ReadFile(name)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return text
}

// pagePolicy lets the page run its own script and style, known by their hashes,
// ask this server, and do nothing else.
var pagePolicy = "default-src 'none'; connect-src 'self'; img-src data:" +
	"; script-src " + hashOf("script") + "; style-src " + hashOf("style") +
	"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// hashOf returns the source expression for the one element of that name in the
// page (CSP level 3 section 2.3.1).
func hashOf(element string) string {
	_, after, _ := bytes.Cut(page, []byte("<"+element+">"))
	content, _, ok := bytes.Cut(after, []byte("</"+element+">"))
	if !ok {
		panic("BUG: the page has no " + element)
	}
	hash := sha256.Sum256(content)
	return "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
}

func servePage(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	w.Write(page)
}
