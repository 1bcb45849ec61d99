package kafka

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Login is how brokers let clients in.
type Login struct {
	TLS       *tls.Config // nil: in the clear
	Mechanism string      // of SASL; empty: none
	User      string
	Password  string
}

// Mechanisms are those of SASL that there are.
var Mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// Validate returns what is wrong, in the words of the options.
func (l *Login) Validate() error {
	switch {
	case l.Mechanism == "" && (l.User != "" || l.Password != ""):
		return fmt.Errorf("--kafka-sasl is missing: it should be one of %s", strings.Join(Mechanisms, ", "))
	case l.Mechanism != "" && l.mechanism() == nil:
		return fmt.Errorf("--kafka-sasl is %q, should be one of %s", l.Mechanism, strings.Join(Mechanisms, ", "))
	case l.Mechanism != "" && l.User == "":
		return fmt.Errorf("--kafka-user is missing: --kafka-sasl needs one")
	case l.Mechanism != "" && l.Password == "":
		return fmt.Errorf("--kafka-password-file is missing: --kafka-sasl needs a password")
	}
	return nil
}

func (l *Login) mechanism() sasl.Mechanism {
	switch l.Mechanism {
	case "PLAIN":
		return plain.Auth{User: l.User, Pass: l.Password}.AsMechanism()
	case "SCRAM-SHA-256":
		return scram.Auth{User: l.User, Pass: l.Password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: l.User, Pass: l.Password}.AsSha512Mechanism()
	}
	return nil
}

// Options returns the options of a client that goes there.
func (a *Address) Options(l *Login) []kgo.Opt {
	all := []kgo.Opt{kgo.SeedBrokers(a.Brokers...), kgo.ClientID("mirrorgate"), kgo.DisableClientMetrics()}
	if l.TLS != nil {
		all = append(all, kgo.DialTLSConfig(l.TLS.Clone()))
	}
	if m := l.mechanism(); m != nil {
		all = append(all, kgo.SASL(m))
	}
	return all
}
