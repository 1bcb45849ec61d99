package deploy

import _ "embed"

// Alerts are the alert rules for Prometheus.
//
//go:embed alerts.yml
var Alerts string

// Scrape is what has to be in scrape_configs of Prometheus.
//
//go:embed scrape.yml
var Scrape string
