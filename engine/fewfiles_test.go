package engine

import (
	"net"
	"testing"
)

// Whoever does not shake hands cannot keep others out by taking descriptors.
func TestFewDescriptors(t *testing.T) {
	served := func(c *client) {
		c.t.Helper()
		c.send(notify(1, get("/")))
		c.expect("ack:1:1")
	}
	greet := func(t *testing.T, addr net.Addr) *client {
		for {
			c := dial(t, addr)
			c.send(greeting())
			switch word := c.next(); word {
			case "hello:16380":
				return c
			case "reset", "EOF": // there was no descriptor left: HAProxy tries again
			default:
				t.Fatalf("the agent says %q", word)
			}
		}
	}
	f := func(name, setting string, silent int) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			serveInChild(t, setting, func(addr net.Addr, _ func(string) usage) {
				early := greet(t, addr)
				for range silent {
					dial(t, addr)
				}
				late := greet(t, addr)
				served(early)
				served(late)
			})
		})
	}
	f("ulimit -n 256", "256 0 128", 500)
	f("no descriptors left", "256 200 128", 100)
}
