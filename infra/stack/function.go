package stack

import (
	"slices"
	"strconv"
	"strings"
)

// checkFunctions: a function runs what `make` builds for it, logs into a group of its own, and has no door beside its
// events: no function URL, no layer with other code, no role from elsewhere.
func checkFunctions(c *checker) {
	c.only("Globals", At(c.Template.Root, "Globals"), "Function")
	logs := map[string]string{}
	for id, f := range c.Template.Functions() {
		c.only(id, f, "BuildMethod", "Runtime", "Architectures", "Handler", "CodeUri", "Description", "MemorySize",
			"Timeout", "EphemeralStorage", "LoggingConfig", "Environment", "Policies", "EventInvokeConfig", "Events",
			"Tags") // a new account has no concurrency to reserve
		c.is(id, f, "BuildMethod", "makefile")
		c.is(id, f, "Runtime", "provided.al2023")
		c.is(id, f, "Architectures", "[arm64]")
		c.is(id, f, "Handler", "bootstrap")
		c.is(id, f, "CodeUri", ".")
		c.only(id+".LoggingConfig", f["LoggingConfig"], "LogGroup")
		log := Str(At(f["LoggingConfig"], "LogGroup", "Ref"))
		c.want(log == strings.TrimSuffix(id, "Function")+"Log", id, "it logs into %q, not into a group of its own", log)
		c.want(logs[log] == "", id, "it logs into the group of %s", logs[log])
		logs[log] = id
		c.want(c.Mains[Folder(id)] != "", id, "there is no functions/%s/main.go", Folder(id))
	}
	for _, id := range c.Template.Resources("") {
		for _, door := range []string{"AWS::Lambda::Url", "AWS::Lambda::Permission", "AWS::Lambda::Function",
			"AWS::Lambda::EventSourceMapping", "AWS::Lambda::LayerVersion", "AWS::IAM::Policy",
			"AWS::IAM::ManagedPolicy", "AWS::IAM::User", "AWS::IAM::UserPolicy"} {
			c.want(c.Template.Type(id) != door, id, "%s goes around the rules for functions", door)
		}
	}
}

// checkSizes: memory, timeout and disk are those of the page.
func checkSizes(c *checker) {
	var rows []string
	functions := c.Template.Functions()
	for _, id := range c.Template.Resources(functionType) {
		f := functions[id]
		disk := "512"
		if size := At(f["EphemeralStorage"], "Size"); size != nil {
			disk = Text(size)
		}
		rows = append(rows, strings.Join([]string{"`" + id + "`", Text(f["MemorySize"]), Text(f["Timeout"]), disk},
			" | "))
	}
	c.rows("Functions", rows)
}

// number is the whole number that a value is, or 0.
func number(v any) int {
	n, _ := strconv.Atoi(Str(v))
	return n
}

// events lists a function's events of a kind, by name.
func events(f map[string]any, kinds ...string) map[string]any {
	found := map[string]any{}
	for _, name := range Keys(f["Events"]) {
		event := At(f["Events"], name)
		if slices.Contains(kinds, Str(At(event, "Type"))) {
			found[name] = At(event, "Properties")
		}
	}
	return found
}
