package options

import (
	"fmt"
	"os"
	"strings"

	"github.com/mirrorgate/mirrorgate/fanout/record/kafka"
)

// Kafka are the options of connections to Kafka. Certificates are those of TLS.
type Kafka struct {
	KafkaTLS          bool   `env:"MIRRORGATE_KAFKA_TLS" name:"kafka-tls" group:"kafka" help:"Speak TLS with the brokers, with the certificates of the --tls options."`
	KafkaSASL         string `env:"MIRRORGATE_KAFKA_SASL" name:"kafka-sasl" group:"kafka" placeholder:"MECHANISM" help:"Log in by SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."`
	KafkaUser         string `env:"MIRRORGATE_KAFKA_USER" group:"kafka" placeholder:"NAME" help:"Log in as this user."`
	KafkaPasswordFile string `env:"MIRRORGATE_KAFKA_PASSWORD_FILE" group:"kafka" placeholder:"FILE" help:"File with the password."`
}

// Login reads the files. The error names the option.
func (k *Kafka) Login(t TLS) (kafka.Login, error) {
	l := kafka.Login{Mechanism: k.KafkaSASL, User: k.KafkaUser}
	if k.KafkaPasswordFile != "" {
		password, err := os.ReadFile(k.KafkaPasswordFile)
		if err != nil {
			return l, fmt.Errorf("--kafka-password-file: cannot read password: %w", err)
		}
		l.Password = strings.TrimRight(string(password), "\r\n")
	}
	if k.KafkaTLS {
		var err error
		if l.TLS, err = t.Config(); err != nil {
			return l, err
		}
	}
	return l, l.Validate()
}
