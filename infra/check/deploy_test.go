package check

import (
	"fmt"
	"maps"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	deployFile  = "infra/docs/deploy.md"
	exampleFile = "infra/samconfig.toml.example"
)

// sequence is what deploy.md is compared with.
type sequence struct {
	page, readme, example string
	stack, edge           template
	ops                   map[string]string // the source files of infra/ops
}

var (
	commandBlock = regexp.MustCompile("(?ms)^ *```\n(.*?)^ *```$")
	continuation = regexp.MustCompile(`\\\n\s*`)
	opsCall      = regexp.MustCompile(`go run \./infra/ops ([a-z-]+)([^$]*(?:\$[A-Z][^$]*)*)`)
	opsFlag      = regexp.MustCompile(` -([a-z-]+)`)
	outputAsked  = regexp.MustCompile(`\$\(output (\w+)\)|OutputKey=='(\w+)'`)
	resourceOf   = regexp.MustCompile(`\$\(physical (\w+)\)`)
	stackNamed   = regexp.MustCompile(`--stack-name (\S+)`)
	edgeKey      = regexp.MustCompile(`ParameterKey=(\w+)|\b([A-Z]\w+)=\$\(output`)
	stackKey     = regexp.MustCompile("`([A-Z][A-Za-z]+)=|echo \"([A-Z]\\w+)=|'([A-Z]\\w+)=\\[")
	overrideLine = regexp.MustCompile(`(?m)^  ([A-Z]\w+)=(.*?) *\\$`)
	numbers      = []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
)

// check compares each command of the page with the tool, the templates and the example that it is about.
func (s sequence) check() (problems []string) {
	add := func(format string, args ...any) {
		problems = append(problems, deployFile+": "+fmt.Sprintf(format, args...))
	}
	has := func(t template, section, name string) {
		if at(t.root, section, name) == nil {
			add("%s has no %s", strings.ToLower(section), name)
		}
	}
	var commands []string
	for _, block := range commandBlock.FindAllStringSubmatch(s.page, -1) {
		commands = append(commands, strings.Split(continuation.ReplaceAllString(block[1], " "), "\n")...)
	}
	for _, line := range commands {
		edge := strings.Contains(line, "--stack-name licensing-edge")
		for _, m := range opsCall.FindAllStringSubmatch(line, -1) {
			problems = append(problems, s.checkOps(m[1], m[2])...)
		}
		for _, m := range outputAsked.FindAllStringSubmatch(line, -1) {
			has(s.stack, "Outputs", m[1]+m[2])
		}
		for _, m := range resourceOf.FindAllStringSubmatch(line, -1) {
			has(s.stack, "Resources", m[1])
		}
		for _, m := range stackNamed.FindAllStringSubmatch(line, -1) {
			if m[1] != "licensing-edge" && !strings.Contains(s.example, "stack_name = \""+m[1]+"\"") {
				add("%s has no stack %s", exampleFile, m[1])
			}
		}
		for _, m := range edgeKey.FindAllStringSubmatch(line, -1) {
			if edge {
				has(s.edge, "Parameters", m[1]+m[2])
			}
		}
		if strings.Contains(line, "create-stack") {
			for _, name := range required(s.edge) {
				if !strings.Contains(line, "ParameterKey="+name+",") {
					add("create-stack does not set %s", name)
				}
			}
		}
	}
	for _, m := range stackKey.FindAllStringSubmatch(s.page, -1) {
		has(s.stack, "Parameters", m[1]+m[2]+m[3])
	}
	return slices.Concat(problems, s.checkExample(), s.checkNumbers())
}

// checkOps: the operator's tool has the command with these flags, in its help and in its code.
func (s sequence) checkOps(command, arguments string) (problems []string) {
	for _, code := range s.ops {
		_, help, ok := strings.Cut(code, "usage: ops "+command)
		if !ok {
			continue
		}
		help, _, _ = strings.Cut(help, "\n\n")
		for _, m := range opsFlag.FindAllStringSubmatch(arguments, -1) {
			declared := func(c string) bool { return strings.Contains(c, `"`+m[1]+`"`) }
			if !strings.Contains(help, "-"+m[1]+" ") && !strings.Contains(help, "-"+m[1]+"]") ||
				!slices.ContainsFunc(slices.Collect(maps.Values(s.ops)), declared) {
				problems = append(problems, fmt.Sprintf("%s: ops %s has no flag -%s", deployFile, command, m[1]))
			}
		}
		return problems
	}
	return []string{fmt.Sprintf("%s: there is no ops %s", deployFile, command)}
}

// checkExample: samconfig.toml.example names parameters of the stack, all that are required, with values that it takes.
func (s sequence) checkExample() (problems []string) {
	set := map[string]bool{}
	for _, m := range overrideLine.FindAllStringSubmatch(s.example, -1) {
		name, value := m[1], strings.Trim(m[2], `"`)
		set[name] = true
		p := at(s.stack.root, "Parameters", name)
		pattern, err := regexp.Compile("^(?:" + str(at(p, "AllowedPattern")) + ")$")
		switch allowed := list(at(p, "AllowedValues")); {
		case p == nil:
			problems = append(problems, exampleFile+": there is no parameter "+name)
		case err != nil:
			problems = append(problems, fmt.Sprintf("%s: %s: %v", exampleFile, name, err))
		case at(p, "AllowedPattern") != nil && !pattern.MatchString(value),
			len(allowed) > 0 && !slices.Contains(allowed, any(value)):
			problems = append(problems, fmt.Sprintf("%s: %s does not take %q", exampleFile, name, value))
		}
	}
	for _, name := range slices.Concat(required(s.stack), []string{"OriginZone", "OriginLabel", "OriginSecret",
		"OriginKeys", "CertificateArn", "WebAclArn", "LicenseKeys", "SesSandbox", "Protection"}) {
		if !set[name] {
			problems = append(problems, exampleFile+": it does not set "+name)
		}
	}
	if !strings.Contains(s.example, "CAPABILITY_IAM") {
		problems = append(problems, exampleFile+": the stack makes roles")
	}
	return problems
}

// checkNumbers: the page and README.md count what there is.
func (s sequence) checkNumbers() (problems []string) {
	records := slices.DeleteFunc(keysOf(at(s.stack.root, "Outputs")), func(name string) bool {
		return !strings.Contains(name, "Record")
	})
	certificate := at(s.edge.root, "Resources", "Certificate", "Properties")
	keys := strings.Fields(str(at(s.stack.root, "Outputs", "LicenseSigners", "Value", "Sub")))
	steps := regexp.MustCompile(`(?m)^## \d+\. `).FindAllString(s.page, -1)
	for _, want := range []struct {
		text, before, after string
		n                   int
	}{
		{s.page, "You see ", " records", len(records)},
		{s.page, "You see ", " CNAME records", 1 + len(list(at(certificate, "SubjectAlternativeNames")))},
		{s.page, "You see ", " functions built", len(s.stack.functions())},
		{s.page, "You see one line with ", " public keys", len(keys)},
		{s.readme, "in ", " steps", len(steps)},
	} {
		phrase := want.before + numbers[min(want.n, len(numbers)-1)] + want.after
		if !strings.Contains(want.text, phrase) {
			problems = append(problems, fmt.Sprintf("%s: nothing says %q", deployFile, phrase))
		}
	}
	return problems
}

// required lists the parameters without a default.
func required(t template) (found []string) {
	for _, name := range keysOf(at(t.root, "Parameters")) {
		if at(t.root, "Parameters", name, "Default") == nil {
			found = append(found, name)
		}
	}
	return found
}

// deploySequence reads what TestDeploySequenceIsTrue compares.
func deploySequence(t *testing.T) sequence {
	s := sequence{page: read(t, deployFile), readme: read(t, "README.md"), example: read(t, exampleFile),
		ops: map[string]string{}}
	for name, code := range tracked(t) {
		if strings.HasPrefix(name, "infra/ops/") && path.Ext(name) == ".go" && !strings.HasSuffix(name, "_test.go") {
			s.ops[name] = code
		}
	}
	var err error
	if s.stack, err = parseTemplate(read(t, "template.yaml")); err != nil {
		t.Fatal(err)
	}
	if s.edge, err = parseTemplate(read(t, "infra/edge.yaml")); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDeploySequenceIsTrue(t *testing.T) { report(t, deploySequence(t).check()) }

func TestDeploySequenceCheckFinds(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"./infra/ops license-keys", "./infra/ops licence-keys", "there is no ops licence-keys"},
		{"license-keys -compact", "license-keys -short", "ops license-keys has no flag -short"},
		{"-metadata catalog/data", "-meta catalog/data", "ops publish has no flag -meta"},
		{"OutputKey=='LicenseSigners'", "OutputKey=='Signers'", "outputs has no Signers"},
		{"$(output UserPoolId)", "$(output PoolId)", "outputs has no PoolId"},
		{"$(physical CatalogFunction)", "$(physical CatalogueFunction)", "resources has no CatalogueFunction"},
		{"--stack-name licensing --output", "--stack-name licences --output", "has no stack licences"},
		{"ParameterKey=OriginZone,", "ParameterKey=Zone,", "parameters has no Zone"},
		{"ParameterKey=SiteHost,", "ParameterKey=AlarmEmail,", "create-stack does not set SiteHost"},
		{"CatalogDistribution=$(", "PackagesDistribution=$(", "parameters has no PackagesDistribution"},
		{"`SesSandbox=on`", "`Sandbox=on`", "parameters has no Sandbox"},
		{"echo \"OriginLabel=", "echo \"Label=", "parameters has no Label"},
		{"You see nine records", "You see eight records", `nothing says "You see nine records"`},
		{"You see three CNAME", "You see two CNAME", `nothing says "You see three CNAME records"`},
		{"You see eight functions", "You see six functions", `nothing says "You see eight functions built"`},
		{"with three public keys", "with two public keys", `with three public keys"`},
		{"in ten steps", "in nine steps", `nothing says "in ten steps"`},
		{"  MailIdentity=example.com \\\n", "", "it does not set MailIdentity"},
		{"  OriginKeys=", "  OriginHashes=", "there is no parameter OriginHashes"},
		{"  SesSandbox=on", "  SesSandbox=yes", `SesSandbox does not take "yes"`},
		{"SiteUrl=https://licenses.example.com", "SiteUrl=https://licenses.example.com/", "SiteUrl does not take"},
		{"CAPABILITY_IAM", "CAPABILITY_NONE", "the stack makes roles"},
	} {
		s, changed := deploySequence(t), false
		for _, text := range []*string{&s.page, &s.readme, &s.example} {
			changed = changed || strings.Contains(*text, tt.old)
			*text = strings.ReplaceAll(*text, tt.old, tt.new)
		}
		if !changed {
			t.Errorf("nothing has %q any more", tt.old)
		}
		if problems := s.check(); !slices.ContainsFunc(problems, func(p string) bool {
			return strings.Contains(p, tt.want)
		}) {
			t.Errorf("%s: got the problems %q, want %q", tt.new, problems, tt.want)
		}
	}
}

// TestDeployCommandsAreBash lets bash read all commands of the page as one script.
func TestDeployCommandsAreBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	var script strings.Builder
	for _, block := range commandBlock.FindAllStringSubmatch(read(t, deployFile), -1) {
		script.WriteString(block[1])
	}
	command := exec.Command(bash, "-n")
	command.Stdin = strings.NewReader(script.String())
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
