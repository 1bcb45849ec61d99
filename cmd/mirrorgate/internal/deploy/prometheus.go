package deploy

import _ "embed"

// Alerts are the alert rules for Prometheus.
//
//go:embed alerts.yml
var Alerts string
