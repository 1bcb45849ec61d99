package options

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/mirrorgate/mirrorgate/cmd/mirrorgate/internal/configfile"
)

var (
	errNoCertificate = errors.New("the file holds no certificate in PEM form")
	errHalfPair      = errors.New("--tls-cert and --tls-key need each other: give both or none")
)

// TLS are the options of connections to targets whose URL is https.
type TLS struct {
	CA, Cert, Key string // names of PEM files, or empty
	Insecure      bool   // targets are not verified
}

// Config reads the files. The error names the option.
func (t TLS) Config() (*tls.Config, error) {
	cfg := &tls.Config{InsecureSkipVerify: t.Insecure}
	if t.CA != "" {
		pem, err := configfile.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: cannot read certificates: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--tls-ca %s: %w", t.CA, errNoCertificate)
		}
	}
	if (t.Cert == "") != (t.Key == "") {
		return nil, errHalfPair
	}
	if t.Cert != "" {
		pair, err := readPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert %s, --tls-key %s: cannot read key pair: %w", t.Cert, t.Key, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

func readPair(cert, key string) (tls.Certificate, error) {
	certPEM, err := configfile.ReadFile(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := configfile.ReadFile(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}
