# Common tasks; `make` lists them. run, test, bench and build need only Go 1.26; `make tools` installs the linters of
# template.yaml and of the shell scripts.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export GOWORK := off

PORT ?= 8080
DATA ?= .local
ARCH ?= arm64
# A count, because Go 1.26 may fail a target at the end of a duration without a finding (go.dev/issue/75804).
FUZZTIME ?= 200000x
CHECKS ?= 2000
# ST1005 wants error texts in lower case; some of ours begin with the name of a field. golangci-lint (tried at v2.15.0)
# costs 295 seconds of CPU just to compile, so two and a half minutes of CI before it lints; staticcheck and vet are
# enough for us.
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -checks inherit,-ST1005
TOOLS := .ci/cache/tools/bin

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: ## serve everything on PORT (8080), with its data in DATA (.local/)
	@echo 'building the local server; the first time takes up to a minute …'
	@go build -buildvcs=false -o .build/local ./infra/local
	@PORT='$(PORT)' DATA='$(DATA)' exec .build/local

# The functions for this machine, with the catalog of its own address, apart from those of a deployment.
.PHONY: run-lambda
run-lambda: ## serve the compiled functions on PORT (8080), as template.yaml says, on DynamoDB Local and moto
	@$(MAKE) --no-print-directory build ARCH="$$(go env GOARCH)" SITE_URL='http://localhost:$(PORT)' \
		'ARTIFACTS_DIR=.build/here/$$(@:build-%=%)'
	@go build -buildvcs=false -o .build/runlambda ./infra/runlambda
	@PORT='$(PORT)' exec infra/engines/with-dynamodb-local.sh infra/engines/with-moto.sh .build/runlambda .build/here

.PHONY: test
test: ## run all tests; the last line counts how many passed, failed and were skipped
	@go run ./infra/check/tally ./...

.PHONY: race
race: ## run all tests with the race detector, which needs gcc
	@CGO_ENABLED=1 go run ./infra/check/tally -- -race ./...

.PHONY: bench
bench: ## measure the HTTP functions against a minimal Lambda, run the Go benchmarks, simulate the daily run and the outbox
	@go run ./infra/bench $(BENCH)

.PHONY: histories
histories: ## play CHECKS (2000) new random histories of the store, of emails and of an attacker
	@go test $$(grep -rl --include='*_test.go' 'rapid\.Check' shared/store infra/mailmodel infra/takeover | \
		xargs -n 1 dirname | sort -u | sed 's|^|./|') -rapid.checks=$(CHECKS) -timeout 10h

.PHONY: fuzz
fuzz: ## fuzz each fuzz test with FUZZTIME (200000x) inputs
	@grep -rs --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' catalog functions infra shared | sort | \
	while IFS=: read -r file target; do \
		echo "$$file $${target#func }"; \
		go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(FUZZTIME) \
			-fuzzminimizetime 1000x || exit 1; \
	done

.PHONY: lint
lint: ## check formatting, go vet, staticcheck, go.mod, and with `make tools` the template and the scripts
	@unformatted=$$(gofmt -l catalog functions infra shared); \
	if [ -n "$$unformatted" ]; then echo "not formatted by gofmt:" $$unformatted; exit 1; fi
	go vet ./...
	$(STATICCHECK) ./...
	go mod tidy -diff
	go mod verify
	@if [ -e $(TOOLS)/installed ]; then $(MAKE) --no-print-directory lint-tools; \
	else echo "skipped: template.yaml and the scripts; \`make tools\` installs their linters"; fi

.PHONY: lint-tools
lint-tools:
	infra/lint/template.sh $(TOOLS) template.yaml $(wildcard infra/*.yaml)
	infra/lint/faults.sh $(TOOLS) template.yaml
	$(TOOLS)/shellcheck .ci/run infra/*.sh infra/*/*.sh

.PHONY: tools
tools: $(TOOLS)/installed ## install the linters of the template and the scripts (needs python3 with venv)
$(TOOLS)/installed: .ci/tools.txt
	rm -rf .ci/cache/tools && python3 -m venv .ci/cache/tools
	$(TOOLS)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .ci/tools.txt
	touch $@

.PHONY: change
change: ## run the first stage of CI, which every change has to pass (at most 15 minutes)
	bash .ci/run first

.PHONY: check
check: ## run everything that CI runs
	bash .ci/run

COMMIT ?= HEAD
.PHONY: deploy
deploy: ## build COMMIT (HEAD) and deploy it with samconfig.toml; an earlier commit brings its build back
	@infra/deploy.sh '$(COMMIT)'

.PHONY: clean
clean: ## remove build output; the data of `make run` and the tools of CI stay
	rm -rf .build .aws-sam

# The Lambda functions. `sam build` makes build-<logical ID in the template> with ARTIFACTS_DIR in its environment.
LAMBDAS := build-AccountFunction build-BridgeFunction build-CatalogFunction build-ConsoleFunction \
	build-MailEventsFunction build-MailerFunction build-RemindersFunction build-RequestsFunction

.PHONY: build
build: $(LAMBDAS) ## build all Lambda functions for ARCH (arm64) into .build/, with the catalog of SITE_URL

.PHONY: $(LAMBDAS)
build-AccountFunction: MAIN := ./functions/account
build-BridgeFunction: MAIN := ./functions/bridge
build-CatalogFunction: MAIN := ./functions/catalog
build-ConsoleFunction: MAIN := ./functions/console
build-MailEventsFunction: MAIN := ./functions/mailevents
build-MailerFunction: MAIN := ./functions/mailer
build-RemindersFunction: MAIN := ./functions/reminders
build-RequestsFunction: MAIN := ./functions/requests
$(LAMBDAS): ARTIFACTS_DIR ?= .build/$(@:build-%=%)
$(LAMBDAS):
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -tags lambda.norpc -trimpath -ldflags '-s -w -buildid=' \
		-buildvcs=false $(OVERLAY) -o '$(ARTIFACTS_DIR)/bootstrap' $(MAIN)

# The binary contains the catalog, whose links use SITE_URL and whose packages the BUILD number of the release.
# METADATA, JARS and PREVIOUS are flags of `go run ./infra/ops publish`; without JARS the catalog has no sizes and no
# SHA-256 sums.
METADATA ?= catalog/data
BUILD ?= 1042
ifdef SITE_URL
OVERLAY := -overlay .build/overlay.json
$(LAMBDAS): .build/overlay.json
else ifeq ($(origin ARTIFACTS_DIR),environment)
$(error SITE_URL is not set: sam build needs the address of the site, the same as the parameter SiteUrl)
endif

.PHONY: .build/overlay.json
.build/overlay.json:
	@mkdir -p .build
	go run ./infra/ops bundle -metadata '$(METADATA)' -site-url '$(SITE_URL)' -build '$(BUILD)' \
		$(if $(JARS),-jars '$(JARS)') $(if $(PREVIOUS),-previous '$(PREVIOUS)') -out .build/bundle.bin
	@printf '{"Replace":{"%s":"%s"}}\n' '$(CURDIR)/catalog/builtin/bundle.bin' '$(CURDIR)/.build/bundle.bin' >$@
