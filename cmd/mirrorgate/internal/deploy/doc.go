// Package deploy writes what surrounds a mirrorgate in production, each text
// complete, with the reason of every line beside it:
//
//	haproxy.go     HAProxy's lines and the SPOE file: what depends on the options
//	haproxy.cfg.tmpl, spoe.conf.tmpl  their text
//	systemd.go, mirrorgate.service.tmpl  the unit
//	prometheus.go, alerts.yml  the alert rules
//	grafana.go     the dashboard
package deploy
