package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// TLS is what the handshake told.
type TLS struct {
	Version  string    `json:"version"`
	ALPN     string    `json:"alpn"` // what the target chose of h2 and http/1.1; empty: it does not do ALPN
	Subject  string    `json:"subject"`
	Names    []string  `json:"names"` // that the certificate is for
	Issuer   string    `json:"issuer"`
	Expires  time.Time `json:"expires"`
	Trusted  bool      `json:"trusted"`
	Distrust string    `json:"distrust,omitempty"` // why not
	// ClientCertificate is "", asked or shown.
	ClientCertificate string `json:"client_certificate,omitempty"`

	unknownIssuer bool
}

// handshake makes a TLS connection of one that stands. The certificate is looked
// at later, so that one that is not trusted can be told about.
func (p *prober) handshake(ctx context.Context, socket net.Conn, alpn []string) (net.Conn, error) {
	cfg := &tls.Config{ServerName: p.URL.Hostname(), NextProtos: alpn, InsecureSkipVerify: true, GetClientCertificate: p.clientCertificate}
	secure := tls.Client(socket, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		socket.Close()
		return nil, err
	}
	return secure, nil
}

// clientCertificate notes that the target asks for one.
func (p *prober) clientCertificate(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	p.asked.Store(true)
	for i := range p.TLS.Certificates {
		if c := &p.TLS.Certificates[i]; info.SupportsCertificate(c) == nil {
			p.showed.Store(true)
			return c, nil
		}
	}
	return new(tls.Certificate), nil
}

// inspect tells what the handshake of a connection showed; nil if it is plain.
func (p *prober) inspect(c *conn) *TLS {
	secure, ok := c.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	state := secure.ConnectionState()
	leaf := state.PeerCertificates[0]
	t := &TLS{
		Version: strings.TrimPrefix(tls.VersionName(state.Version), "TLS "), ALPN: state.NegotiatedProtocol,
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), Expires: leaf.NotAfter,
		Names: leaf.DNSNames,
	}
	for _, ip := range leaf.IPAddresses {
		t.Names = append(t.Names, ip.String())
	}
	options := x509.VerifyOptions{Roots: p.TLS.RootCAs, DNSName: p.URL.Hostname(), Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(options)
	if t.Trusted = err == nil; err != nil {
		t.Distrust, _, _ = strings.Cut(strings.TrimPrefix(err.Error(), "x509: "), " (possibly because of ")
		t.unknownIssuer = errors.As(err, new(x509.UnknownAuthorityError))
	}
	return t
}
