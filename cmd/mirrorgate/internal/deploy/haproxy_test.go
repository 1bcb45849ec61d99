package deploy

import (
	"strings"
	"testing"
)

func TestBufsize(t *testing.T) {
	f := func(maxBody, want int64) {
		t.Helper()
		if got := (HAProxy{MaxBody: maxBody}).Bufsize(); got != want {
			t.Errorf("bodies of %d bytes: tune.bufsize %d, want %d", maxBody, got, want)
		}
	}
	f(0, 16384)
	f(7168, 16384) // 7168 + 8192 + 1024 fit exactly
	f(7169, 20480)
	f(65536, 77824)
	f(1<<20, 1060864)
}

func TestSampling(t *testing.T) {
	f := func(sample float64, want string) {
		t.Helper()
		if got := (haproxyView{HAProxy{Sample: sample}}).Sampling(); got != want {
			t.Errorf("share %g: condition %q, want %q", sample, got, want)
		}
	}
	f(1, "")
	f(0.1, "rand(100) lt 10")
	f(0.07, "rand(100) lt 7")
	f(0.005, "rand(1000) lt 5")
	f(0.333, "rand(1000) lt 333")
	f(1./3, "rand(1000000) lt 333333")
	f(1e-9, "rand(1000000) lt 1")
}

// What differs from version to version, and with what agents listen on.
func TestHAProxyText(t *testing.T) {
	f := func(h HAProxy, write func(HAProxy, *strings.Builder) error, has, lacks string) {
		t.Helper()
		h.Sample, h.SPOEFile = 1, "/spoe"
		var b strings.Builder
		if err := write(h, &b); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		if !strings.Contains(text, has) || lacks != "" && strings.Contains(text, lacks) {
			t.Errorf("%+v: want %q and not %q in\n%s", h, has, lacks, b.String())
		}
	}
	config := func(h HAProxy, b *strings.Builder) error { return h.WriteConfig(b) }
	spoe := func(h HAProxy, b *strings.Builder) error { return h.WriteSPOE(b) }
	f(HAProxy{Version: HAProxyVersion{2, 6}}, config, "mode tcp", "spop ")
	f(HAProxy{Version: HAProxyVersion{3, 0}}, config, "mode tcp", "global")
	f(HAProxy{Version: HAProxyVersion{3, 1}}, config, "mode spop", "mode tcp")
	f(HAProxy{Version: HAProxyVersion{3, 0}}, spoe, "timeout hello 500ms timeout idle 30s", "")
	f(HAProxy{Version: HAProxyVersion{3, 2}}, spoe, "timeout processing 20ms", "timeout idle")
	f(HAProxy{MaxBody: 8192}, config, "tune.bufsize 20480", "--max-frame-size")
	f(HAProxy{MaxBody: 1 << 20}, config, "mirrorgate has to be started with --max-frame-size 1060864.", "")
	grpc := HAProxy{Version: HAProxyVersion{3, 2}, GRPC: true}
	f(grpc, config, "http-request wait-for-body time 10s if !mirror-grpc #", "timeout http-request\", which should be set")
	f(grpc, config, "http-request send-spoe-group mirror mirror if mirror-agent-up filter spoe", "mirror-unary")
	f(grpc, spoe, "groups mirror", "event")
	unary := grpc
	unary.Unary = []string{"/a.B/*", "/a.C/Get"}
	f(unary, config, "acl mirror-unary path -m beg /a.B/ acl mirror-unary path /a.C/Get http-request wait-for-body time 10s if !mirror-grpc or mirror-unary", "")
	f(unary, config, "send-spoe-group mirror mirror if !mirror-grpc mirror-agent-up or mirror-grpc mirror-unary mirror-agent-up", "")
	unary.AfterResponse = true
	f(unary, config, "set-var(txn.mirror_on) bool(true) if !mirror-grpc mirror-agent-up or mirror-grpc mirror-unary mirror-agent-up", "send-spoe-group")
	f(HAProxy{Steer: true}, config, "set-var proc.mirror.rate int(10000)", "tune.bufsize")
	f(HAProxy{Agents: []string{"10.0.0.7:1", "[::1]:2"}}, config, "server mirrorgate1 10.0.0.7:1 server mirrorgate2 [::1]:2", "init-addr")
	f(HAProxy{Agents: []string{"host:1"}}, config, "server mirrorgate1 host:1 init-addr last,libc,none", "chroot")
	f(HAProxy{Agents: []string{"unix:/run/s"}}, config, "With chroot in the global section, unix paths start there for HAProxy. server mirrorgate1 unix@/run/s", "")
}
