package kafka

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Scheme is that of the URLs.
const Scheme = "kafka"

// Address is a topic.
type Address struct {
	Brokers []string // HOST:PORT; some of them are enough
	Topic   string
}

// topicName is what Kafka allows.
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// defaultPort is that of brokers.
const defaultPort = "9092"

// ParseURL reads kafka://HOST:PORT,HOST:PORT/TOPIC.
func ParseURL(u *url.URL) (a Address, err error) {
	wrong := fmt.Errorf("the URL of a topic should be like kafka://b1:9092,b2:9092/topic")
	a.Topic = strings.TrimPrefix(u.Path, "/")
	if u.Scheme != Scheme || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || !topicName.MatchString(a.Topic) {
		return a, wrong
	}
	for broker := range strings.SplitSeq(u.Host, ",") {
		host, port, err := net.SplitHostPort(broker)
		if err != nil {
			host, port = strings.Trim(broker, "[]"), defaultPort
		}
		if host == "" || port == "" || strings.ContainsAny(host+port, " /@") {
			return a, wrong
		}
		a.Brokers = append(a.Brokers, net.JoinHostPort(host, port))
	}
	return a, nil
}

// Parse reads the text of such a URL.
func Parse(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, fmt.Errorf("cannot read URL %q: should be like kafka://b1:9092,b2:9092/topic", text)
	}
	return ParseURL(u)
}

// IsURL reports whether the text is meant as such a URL.
func IsURL(text string) bool { return strings.HasPrefix(text, Scheme+"://") }
