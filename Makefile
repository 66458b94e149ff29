# The commands that icap is built, tested and shipped with.

SHELL := /bin/sh
.DEFAULT_GOAL := help

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# How long one fuzz target runs.
FUZZTIME ?= 2s

# How long the soak lasts, in minutes.
MINUTES ?= 10

# How long the tests of one package may take.
TIMEOUT ?= 10m

# The benchmarks are a module of their own.
BENCH       := $(GO) -C bench run .
BENCH_SMOKE ?= $(BENCH) -smoke

# A folder on a disk, for benchmarks that write there.
BENCH_DISK ?= /var/tmp

# What else a benchmark is told, such as -rounds 5.
BENCH_FLAGS ?=

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# A build does not depend on the state of the checkout: the version is given.
export GOFLAGS := $(strip $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

## Building

.PHONY: build
build: ## build ./icap
	$(GO) build -ldflags '-X main.version=$(VERSION)' -o icap ./cmd/icap

.PHONY: static
static: dist/icap-linux-amd64 dist/icap-linux-arm64 ## build reproducible static binaries for nodes in dist/

dist/icap-linux-%: FORCE
	CGO_ENABLED=0 GOOS=linux GOARCH=$* $(GO) build -trimpath -tags nodemo \
		-ldflags '-s -w -buildid= -X main.version=$(VERSION)' -o $@ ./cmd/icap

.PHONY: static-cri
static-cri: dist/icap-cri-linux-amd64 dist/icap-cri-linux-arm64 ## the same with labels as targets, of twice the size

dist/icap-cri-linux-%: FORCE
	CGO_ENABLED=0 GOOS=linux GOARCH=$* $(GO) build -trimpath -tags nodemo,cri \
		-ldflags '-s -w -buildid= -X main.version=$(VERSION)' -o $@ ./cmd/icap

.PHONY: plugin
plugin: dist/kubectl-icap-linux-amd64 dist/kubectl-icap-linux-arm64 dist/kubectl-icap-darwin-amd64 dist/kubectl-icap-darwin-arm64 ## build kubectl icap for users' machines in dist/

dist/kubectl-icap-%: FORCE
	CGO_ENABLED=0 GOOS=$(firstword $(subst -, ,$*)) GOARCH=$(lastword $(subst -, ,$*)) $(GO) -C cmd/kubectl-icap build -trimpath \
		-ldflags '-s -w -buildid= -X main.version=$(VERSION)' -o '$(CURDIR)/$@' .

.PHONY: FORCE
FORCE:

.PHONY: man
man: ## write the manual pages of all commands into dist/man
	rm -rf dist/man
	$(GO) run -tags nodemo -ldflags '-X main.version=$(VERSION)' ./cmd/icap man dist/man

.PHONY: release
release: static static-cri plugin man ## make archives, an OCI image, a krew manifest and checksums in dist/, reproducibly
	for build in linux-amd64 linux-arm64 cri-linux-amd64 cri-linux-arm64; do tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=ustar \
		-C dist --transform "s,icap-$$build,icap," -cf - icap-$$build man -C .. LICENSE README.md CHANGELOG.md | \
		gzip -n -9 >dist/icap-$(VERSION)-$$build.tar.gz; done
	for build in linux-amd64 linux-arm64 darwin-amd64 darwin-arm64; do tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=ustar \
		--transform "s,.*kubectl-icap-$$build,kubectl-icap," --transform 's,.*/,,' -cf - dist/kubectl-icap-$$build deploy/kubectl_complete-icap LICENSE | \
		gzip -n -9 >dist/kubectl-icap-$(VERSION)-$$build.tar.gz; done
	deploy/krew dist $(VERSION) <deploy/krew.yaml >dist/icap.yaml
	deploy/image dist/icap-$(VERSION)-image.tar $(VERSION) amd64=dist/icap-linux-amd64 arm64=dist/icap-linux-arm64
	cd dist && sha256sum icap-$(VERSION)-linux-*.tar.gz icap-$(VERSION)-cri-linux-*.tar.gz icap-$(VERSION)-image.tar kubectl-icap-$(VERSION)-*.tar.gz >SHA256SUMS

.PHONY: demo
demo: build ## capture in a pod made for it; writes demo.pcapng (as root)
	@if [ "$$(id -u)" -eq 0 ]; then ./icap demo --force; \
	elif command -v sudo >/dev/null; then sudo ./icap demo --force; \
	else echo 'make demo makes network namespaces: run it as root' >&2; exit 1; fi

.PHONY: size
size: dist/icap-linux-amd64 ## print the size of the binary and its ten largest packages
	@ls -l dist/icap-linux-amd64 | awk '{ printf "%.1f MB  dist/icap-linux-amd64\n", $$5 / 1e6 }'
	@$(GO) build -tags nodemo -o dist/icap ./cmd/icap && $(GO) tool nm -size dist/icap | .ci/size

.PHONY: clean
clean: ## remove what was built and demo.pcapng
	rm -rf icap dist demo.pcapng

## Testing

.PHONY: test
test: tools ## everything: check, unit, pods, fuzz, bench-smoke; as root nothing is skipped
	@+MAKE='$(MAKE)' .ci/steps check unit pods fuzz bench-smoke

.PHONY: tools
tools: ## install the programs that tests need, where apt is and they are not (as root)
	@.ci/tools

.PHONY: check
check: ## gofmt, vet, staticcheck, and builds for other systems
	@out=$$(gofmt -l .) && [ -z "$$out" ] || { printf 'gofmt -w is due:\n%s\n' "$$out" >&2; exit 1; }
	$(GO) mod verify
	$(GO) vet ./...
	$(GO) vet -tags nodemo ./cmd/icap
	$(GO) vet -tags cri ./cmd/icap ./internal/pods/cri
	GOOS=darwin $(GO) vet ./...
	$(GO) -C bench vet ./...
	$(GO) -C internal/pods/crtest vet ./...
	$(GO) -C cmd/kubectl-icap vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(STATICCHECK) -tags cri ./cmd/icap ./internal/pods/cri
	$(GO) -C bench run $(STATICCHECK) ./...
	GOOS=linux  GOARCH=amd64 $(GO) build -o /dev/null ./...
	GOOS=linux  GOARCH=arm64 $(GO) build -o /dev/null ./...
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./...

.PHONY: check-cluster
check-cluster: ## vet and staticcheck of what is built on the modules of Kubernetes; minutes the first time
	$(GO) -C internal/cluster vet ./...
	for module in internal/pods/crtest internal/cluster cmd/kubectl-icap; do $(GO) -C $$module run $(STATICCHECK) ./... || exit 1; done

.PHONY: unit
unit: ## all tests, with -race where there is a C compiler; tells what was skipped
	@TIMEOUT=$(TIMEOUT) .ci/unit ./...
	$(GO) test -tags cri ./internal/pods/cri
	$(GO) -C cmd/kubectl-icap test ./...

.PHONY: pods
pods: ## test on pods of a containerd that is started for it (as root)
	@if [ "$$(id -u)" -eq 0 ]; then ICAP_TEST_ROOT=1 $(GO) -C internal/pods/crtest test -count=1 -timeout 4m ./...; \
	else echo 'not root: no pods of containerd are made'; fi

.PHONY: test-cluster
test-cluster: tools check-cluster ## test on a Kubernetes cluster of two nodes that is made for it (as root); the first time builds Kubernetes
	@[ "$$(id -u)" -eq 0 ] || { echo 'make test-cluster makes machines out of namespaces: run it as root' >&2; exit 1; }
	ICAP_TEST_ROOT=1 $(GO) -C internal/cluster test -count=1 -v -timeout 45m $(if $(RUN),-run '$(RUN)') .

.PHONY: cluster-up
cluster-up: tools ## start that cluster and let it be, for work by hand (as root)
	$(GO) -C internal/cluster build -o '$(CURDIR)/dist/cluster' ./cmd/cluster
	dist/cluster up

.PHONY: cluster-down
cluster-down: ## end it
	dist/cluster down

.PHONY: faults
faults: ## put icap, tcpdump and dumpcap into every fault; writes docs/faults.md (as root)
	@[ "$$(id -u)" -eq 0 ] || { echo 'make faults makes network namespaces: run it as root' >&2; exit 1; }
	ICAP_TEST_ROOT=1 ICAP_FAULTS='$(CURDIR)/docs/faults.md' $(GO) test -count=1 -timeout $(TIMEOUT) -run '^TestEveryFault$$' ./cmd/icap

.PHONY: soak
soak: ## capture for MINUTES (10) under load, with pods that come and go, and look for losses and leaks (as root; RACE=1)
	@[ "$$(id -u)" -eq 0 ] || { echo 'make soak makes network namespaces: run it as root' >&2; exit 1; }
	ICAP_TEST_ROOT=1 ICAP_SOAK='$(MINUTES)m' $(GO) test $(if $(RACE),-race) -count=1 -v -timeout $$(($(MINUTES) + 5))m -run '^TestSoak$$' ./cmd/icap

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (2s)
	@.ci/fuzz $(FUZZTIME)

.PHONY: bench-smoke
bench-smoke: ## test the benchmarks, and run each shortly (as root); the figures mean nothing
	$(GO) -C bench test ./...
	@if [ "$$(id -u)" -eq 0 ]; then echo '$(BENCH_SMOKE)'; $(BENCH_SMOKE); \
	else echo 'not root: the benchmarks are not run'; fi

## Measuring, as root, on a machine that does nothing else

.PHONY: bench-quick
bench-quick: ## compare icap with tcpdump and a bare loop, in less than a minute
	$(BENCH) -quick -disk $(BENCH_DISK) $(BENCH_FLAGS)

.PHONY: bench
bench: ## compare with all programs in some twenty minutes; writes bench/RESULTS.md and .svg
	@.ci/tools bench
	$(BENCH) -disk $(BENCH_DISK) -o RESULTS.md -chart RESULTS.svg $(BENCH_FLAGS)
