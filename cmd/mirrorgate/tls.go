package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

var (
	errNoCertificate = errors.New("the file holds no certificate in PEM form")
	errHalfPair      = errors.New("--tls-cert and --tls-key need each other: give both or none")
)

// tlsConfig is for the connections to targets whose URL is https.
func (r *runCmd) tlsConfig() (*tls.Config, error) {
	cfg := &tls.Config{InsecureSkipVerify: r.TLSInsecure}
	if r.TLSCA != "" {
		pem, err := os.ReadFile(r.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: cannot read certificates: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--tls-ca %s: %w", r.TLSCA, errNoCertificate)
		}
	}
	if (r.TLSCert == "") != (r.TLSKey == "") {
		return nil, errHalfPair
	}
	if r.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(r.TLSCert, r.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert %s, --tls-key %s: cannot read key pair: %w", r.TLSCert, r.TLSKey, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
