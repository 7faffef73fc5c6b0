package stack

import (
	"bytes"
	"debug/elf"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// buildCommand is how a function is built (performance.md, "Build flags"): statically, for the architecture of the
// template, without what differs from machine to machine.
const buildCommand = "CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -tags lambda.norpc -trimpath " +
	"-ldflags '-s -w -buildid=' -buildvcs=false $(OVERLAY) -o '$(ARTIFACTS_DIR)/bootstrap' $(MAIN)"

// checkMakefile: `sam build` and `make build` make each function of the template from its own main, with these flags,
// and with the catalog of an address that is given.
func checkMakefile(c *checker) {
	text := strings.ReplaceAll(c.Makefile, "\\\n", " ")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	has := func(line string) {
		c.want(slices.Contains(lines, line), "Makefile", "it has no line %q", line)
	}
	has("ARCH ?= arm64")
	has(buildCommand)
	has("export GOWORK := off")
	has("$(LAMBDAS): ARTIFACTS_DIR ?= .build/$(@:build-%=%)")
	has("build: $(LAMBDAS) ## build all Lambda functions for ARCH (arm64) into .build/, with the catalog of SITE_URL")
	has("OVERLAY := -overlay .build/overlay.json")
	has("$(LAMBDAS): .build/overlay.json")
	has("ifdef SITE_URL")
	has("METADATA ?= catalog/data")
	has("else ifeq ($(origin ARTIFACTS_DIR),environment)")
	c.want(strings.Contains(text, "\n$(error SITE_URL is not set"), "Makefile", "sam build goes on without SITE_URL")
	c.want(strings.Contains(text, "-out .build/bundle.bin\n") && strings.Contains(text, "$(CURDIR)/.build/bundle.bin'"),
		"Makefile", "what is put into the binary is not the catalog that was made")
	c.want(strings.Contains(text, "-site-url '$(SITE_URL)'"), "Makefile", "the catalog is not made for SITE_URL")
	c.want(strings.Contains(text, "-metadata '$(METADATA)'"), "Makefile", "the catalog is not made of METADATA")
	c.want(strings.Contains(text, "-build '$(BUILD)'"), "Makefile", "the catalog's packages have no BUILD")
	c.want(strings.Contains(text, "if $(PREVIOUS),-previous '$(PREVIOUS)'"), "Makefile",
		"earlier packages are forgotten")
	c.want(strings.Contains(text, "/catalog/builtin/bundle.bin"), "Makefile", "the catalog is not put into the binary")
	built := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^build-(\w+): MAIN := (\S+)$`).FindAllStringSubmatch(text, -1) {
		c.want(built[m[1]] == "", "Makefile", "build-%s has two mains", m[1])
		built[m[1]] = m[2]
	}
	m := regexp.MustCompile(`(?m)^LAMBDAS := (.*)$`).FindStringSubmatch(text)
	if m == nil {
		c.add("Makefile", "it has no LAMBDAS")
		return
	}
	targets := strings.Fields(m[1])
	for id := range c.Template.Functions() {
		c.want(built[id] == "./functions/"+Folder(id), "Makefile", "build-%s builds %q", id, built[id])
		c.want(slices.Contains(targets, "build-"+id), "Makefile", "LAMBDAS lacks build-%s", id)
		delete(built, id)
	}
	for id := range built {
		c.add("Makefile", "build-%s builds no function of the template", id)
	}
}

// CheckArtefact reports what is wrong with a built bootstrap: Lambda runs a static program for Linux on arm64.
func CheckArtefact(name string, program []byte) (findings []Finding) {
	add := func(text string, args ...any) {
		findings = append(findings, Finding{"artefact", name, fmt.Sprintf(text, args...)})
	}
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		add("it is no program for Linux: %v", err)
		return findings
	}
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 || f.Class != elf.ELFCLASS64 {
		add("it is for %v, want EM_AARCH64", f.Machine)
	}
	if f.Type != elf.ET_EXEC {
		add("it is of type %v, want ET_EXEC", f.Type)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			add("it needs libraries of the machine: %v", p.Type)
		}
	}
	if f.Section(".symtab") != nil || f.Section(".debug_info") != nil {
		add("it carries symbols that only slow it down")
	}
	return findings
}
