package stack

import (
	"slices"
	"strings"
)

// attributes are what GetAtt gives of a resource, by type. Types that are not here are left to cfn-lint.
var attributes = map[string][]string{
	"AWS::DynamoDB::Table":       {"Arn", "StreamArn"},
	"AWS::SQS::Queue":            {"Arn", "QueueName", "QueueUrl"},
	"AWS::SNS::Topic":            {"TopicArn", "TopicName"},
	"AWS::KMS::Key":              {"Arn", "KeyId"},
	"AWS::S3::Bucket":            {"Arn", "DomainName", "RegionalDomainName", "WebsiteURL", "DualStackDomainName"},
	"AWS::Logs::LogGroup":        {"Arn"},
	functionType:                 {"Arn"},
	"AWS::Serverless::HttpApi":   {"ApiEndpoint", "ApiId"},
	"AWS::IAM::Role":             {"Arn", "RoleId"},
	"AWS::SES::EmailIdentity":    nil,
	"AWS::Cognito::UserPool":     nil,
	"AWS::SES::ConfigurationSet": {},
}

// checkReferences: what Ref, GetAtt, Sub, DependsOn and conditions name exists, no resource waits for itself, and every
// parameter and condition is used.
func checkReferences(c *checker) {
	root := c.Template.Root
	used := map[string]bool{}
	needs := map[string][]string{}
	for _, section := range []string{"Conditions", "Resources", "Outputs", "Globals"} {
		for _, id := range Keys(At(root, section)) {
			body := At(root, section, id)
			c.references(id, body, func(name string) {
				used[name] = true
				if section == "Resources" {
					needs[id] = append(needs[id], name)
				}
			})
			if name, ok := At(body, "Condition").(string); ok && section != "Conditions" {
				used["condition "+name] = true
				c.want(At(root, "Conditions", name) != nil, id, "there is no condition %s", name)
			}
			for _, other := range List(At(body, "DependsOn")) {
				needs[id] = append(needs[id], Str(other))
				c.want(c.Template.Type(Str(other)) != "", id, "it depends on %s, which does not exist", Text(other))
			}
		}
	}
	for _, name := range Keys(At(root, "Parameters")) {
		c.want(used[name], name, "nothing uses the parameter")
	}
	for _, name := range Keys(At(root, "Conditions")) {
		c.want(used["condition "+name], name, "nothing uses the condition")
	}
	c.circles(needs)
}

// references calls use with each name that a value refers to.
func (c *checker) references(where string, v any, use func(string)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			c.references(where, item, use)
		}
	case map[string]any:
		if len(v) == 1 {
			switch key := Keys(v)[0]; key {
			case "Ref":
				c.reference(where, Str(v[key]), use)
				return
			case "GetAtt":
				c.reference(where, Str(v[key]), use)
				return
			case "Sub":
				c.substitution(where, v[key], use)
				return
			case "If":
				if name := Str(List(v[key])[0]); name != "" {
					use("condition " + name)
					c.want(At(c.Template.Root, "Conditions", name) != nil, where, "there is no condition %s", name)
				}
			case "Condition":
				if name := Str(v[key]); name != "" {
					use("condition " + name)
				}
			}
		}
		for _, key := range Keys(v) {
			c.references(where, v[key], use)
		}
	case string:
		if strings.Contains(v, "${") && !strings.Contains(v, "${!") {
			c.add(where, "%.60q needs !Sub", v)
		}
	}
}

func (c *checker) substitution(where string, v any, use func(string)) {
	parts := List(v)
	if len(parts) == 2 {
		c.references(where, parts[1], use)
	}
	found := placeholder.FindAllStringSubmatch(Str(parts[0]), -1)
	c.want(len(found) > 0, where, "!Sub %.60q substitutes nothing", Text(parts[0]))
	for _, m := range found {
		if len(parts) < 2 || At(parts[1], m[1]) == nil {
			c.reference(where, m[1], use)
		}
	}
}

// pseudo are the parameters that CloudFormation sets.
var pseudo = []string{"AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region",
	"AWS::StackId", "AWS::StackName", "AWS::URLSuffix"}

// reference is a name, or a name with an attribute after a dot.
func (c *checker) reference(where, text string, use func(string)) {
	if slices.Contains(pseudo, text) {
		return
	}
	name, attribute, dotted := strings.Cut(text, ".")
	use(name)
	kind := c.Template.Type(name)
	isParameter := At(c.Template.Root, "Parameters", name) != nil
	made := strings.TrimSuffix(name, "Role") // SAM makes a role beside a function
	isRole := name != made && c.Template.Type(made) == functionType
	api, isStage := strings.CutSuffix(name, "ApiGatewayDefaultStage") // and a stage beside an API
	isRole = isRole || isStage && c.Template.Type(api) == "AWS::Serverless::HttpApi"
	switch known, listed := attributes[kind]; {
	case kind == "" && !isParameter && !isRole:
		c.add(where, "there is no %s", name)
	case dotted && isParameter:
		c.add(where, "the parameter %s has no %s", name, attribute)
	case dotted && listed && known != nil && !slices.Contains(known, attribute):
		c.add(where, "%s has no attribute %s", name, attribute)
	}
}

// circles finds resources that wait for themselves.
func (c *checker) circles(needs map[string][]string) {
	state := map[string]int{} // 1: on the way here, 2: without a circle
	var visit func(id string, way []string)
	visit = func(id string, way []string) {
		switch state[id] {
		case 1:
			c.add(id, "it waits for itself: %s", strings.Join(append(way, id), " → "))
			return
		case 2:
			return
		}
		state[id] = 1
		for _, next := range needs[id] {
			visit(next, append(way, id))
		}
		state[id] = 2
	}
	for _, id := range c.Template.Resources("") {
		visit(id, nil)
	}
}
