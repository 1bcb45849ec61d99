SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Debian keeps haproxy where only root looks.
export PATH := $(PATH):/usr/sbin

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 60s

# The Debian suites whose HAProxy is tested: 2.6, 3.0 and 3.2 or later.
HAPROXY_SUITES ?= bookworm trixie forky

# What make test covered: by tests of a package itself, and by the binary.
COVER := $(CURDIR)/bin/cover

.PHONY: help picture build packages test-packages reference demo test cover test-haproxy test-servers test-kafka test-verdict faults soak fuzz lint vuln bench clean haproxy wrk chromium curl

help: ## Show the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

build: ## Build bin/mirrorgate and bin/mirrorgate-bench, static binaries.
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/mirrorgate ./cmd/mirrorgate-bench

packages: ## Write .deb, .rpm, .tar.gz and an image (OCI) to bin/packages.
	rm -rf bin/packages
	.packages/build bin/packages

test-packages: ## Build the packages twice, and install, upgrade and purge one.
	.packages/check

reference: ## Write cmd/mirrorgate/REFERENCE.md from what mirrorgate help says.
	go generate ./cmd/mirrorgate

picture: chromium ## Take README's picture of the live page anew.
	E2E_PICTURES=$(CURDIR)/bin/pictures go test -count 1 -run '^TestPage$$' ./cmd/mirrorgate/internal/e2e
	cp bin/pictures/800-light.png .github/page.png

demo: build haproxy ## Show it at work on this machine.
	bin/mirrorgate demo

test: haproxy wrk chromium curl ## Run all tests with the race detector.
	rm -rf $(COVER) && mkdir -p $(COVER)/tests $(COVER)/binary
	go test -race -cover -timeout 15m $$(go list ./... | grep -v /e2e) -args -test.gocoverdir=$(COVER)/tests
	E2E_COVER=$(COVER)/binary go test -race -timeout 15m ./cmd/mirrorgate/internal/e2e # alone: HAProxy's time limits are those of a sound host
	go test -run 'Allocates' ./codec ./engine ./fanout/... # the race detector allocates itself
	go test -v -run '^TestSessionModel$$' ./engine -rapid.checks=100000

cover: ## Print what the last make test covered of each package.
	@test -d $(COVER) || $(MAKE) test
	@go tool covdata percent -i=$(COVER)/tests,$(COVER)/binary | \
		sed -n 's|.*\tgithub.com/mirrorgate/mirrorgate/\(\S*\)\t*coverage: \(\S*\) .*|\2\t\1|p' | sort -n

test-haproxy: ## Test with the HAProxy of each Debian suite.
	@for suite in $(HAPROXY_SUITES); do .ci/haproxy "$$suite" >/dev/null; done
	@for suite in $(HAPROXY_SUITES); do \
		export PATH="$$(.ci/haproxy "$$suite"):$$PATH"; \
		haproxy -v | sed -n "s/^\(HAProxy version [^ ]*\).*/\1 ($$suite)/p"; \
		go test -race -count 1 -v -timeout 15m -run HAProxy ./cmd/mirrorgate/internal/e2e | grep -v '^=== '; \
	done

test-servers: haproxy ## Test with the servers that people have as targets.
	@.ci/servers
	go test -tags servers -count 1 -timeout 20m -run '^TestServers' ./cmd/mirrorgate/internal/e2e

VERDICTS ?= 10
test-verdict: haproxy ## Plant faults in a new version and ask for the verdict, VERDICTS (10) times without a fault.
	E2E_VERDICTS=$(VERDICTS) go test -tags verdict -count 1 -v -timeout 30m -run '^TestVerdict' ./cmd/mirrorgate/internal/e2e | grep -v '^=== '

test-kafka: haproxy ## Test with Apache Kafka, one broker and three.
	@.ci/kafka >/dev/null && .ci/kafka 3 >/dev/null
	go test -tags kafka -count 1 -timeout 15m -run '^TestKafka' ./cmd/mirrorgate/internal/e2e; status=$$?; .ci/kafka stop; exit $$status

faults: haproxy ## Let everything go wrong under load, for longer than make test does.
	E2E_LONG=1 go test -race -count 1 -v -timeout 30m -run 'Fault|Broken|ClockStep|HAProxyAgent|HAProxyReloads|HAProxyStop' ./cmd/mirrorgate/internal/e2e ./fanout | grep -v '^=== '

SOAK ?= 20m
soak: haproxy ## Run at half capacity for SOAK (20m) and see that nothing grows.
	E2E_SOAK=$(SOAK) go test -count 1 -v -timeout 60m -run TestSoak ./cmd/mirrorgate/internal/e2e | grep -v '^=== '

fuzz: ## Fuzz each parser for FUZZTIME (60s).
	@grep -rE --include='*_test.go' -o '^func Fuzz[A-Za-z]+' . | sort | while IFS=: read -r file func; do \
		echo "$$file $${func#func }"; \
		go test -run '^$$' -fuzz "^$${func#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "$$(dirname "$$file")"; \
	done

lint: ## Check the format, and what vet and staticcheck find.
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on:" $$unformatted; exit 1; }
	go vet ./...
	go vet -tags servers,verdict,kafka ./cmd/mirrorgate/internal/e2e
	go tool staticcheck ./...
	go tool staticcheck -tags servers,verdict,kafka ./cmd/mirrorgate/internal/e2e

vuln: ## Look for known vulnerabilities in what is built in (needs the internet).
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

bench: build haproxy wrk ## Measure it, and write bench/RESULTS.md (about 20 minutes).
	go test -run '^$$' -bench . -benchmem ./codec ./engine ./fanout/... | tee bin/micro.txt
	@for suite in $(HAPROXY_SUITES); do .ci/haproxy "$$suite" >/dev/null; done
	bin/mirrorgate-bench results --out bench/RESULTS.md --micro bin/micro.txt \
		$(foreach suite,$(HAPROXY_SUITES),--haproxy "$$(.ci/haproxy $(suite))")

clean: ## Remove what was built.
	rm -rf bin

haproxy wrk chromium curl:
	@command -v $@ >/dev/null || { \
		test "$$(id -u)" = 0 || { echo "$@ is missing. Install it, on Debian with: sudo apt-get install $@" >&2; exit 1; }; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $@; \
	}
