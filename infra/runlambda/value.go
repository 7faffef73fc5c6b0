package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"marketplace/infra/stack"
)

// Where the stack is: the region and account that every ARN names.
const (
	region  = "eu-central-1"
	account = "123456789012"
)

// values resolve what the template writes to what it is in this deployment.
type values struct {
	template   stack.Template
	parameters map[string]string
	stack      string            // the stack's name
	secrets    map[string]string // the ARN of each secret, by its logical ID
}

// checkParameters refuses a value that CloudFormation would refuse. An address of this machine counts as encrypted.
func (v values) checkParameters() error {
	declared := stack.At(v.template.Root, "Parameters")
	for name := range maps.Keys(v.parameters) {
		if stack.At(declared, name) == nil {
			return fmt.Errorf("the template has no parameter %s", name)
		}
	}
	for _, name := range stack.Keys(declared) {
		value, err := v.parameter(name)
		if err != nil {
			return err
		}
		value = strings.Replace(value, "http://localhost:", "https://localhost:", 1)
		p := stack.At(declared, name)
		pattern, err := regexp.Compile("^(?:" + stack.Str(stack.At(p, "AllowedPattern")) + ")$")
		if err != nil {
			return fmt.Errorf("the pattern of the parameter %s: %w", name, err)
		}
		allowed := stack.List(stack.At(p, "AllowedValues"))
		if stack.At(p, "AllowedPattern") != nil && !pattern.MatchString(value) ||
			allowed != nil && !slices.Contains(allowed, any(value)) {
			return fmt.Errorf("the parameter %s must not be %q", name, value)
		}
	}
	return nil
}

func (v values) parameter(name string) (string, error) {
	if value, ok := v.parameters[name]; ok {
		return value, nil
	}
	value, ok := stack.At(v.template.Root, "Parameters", name, "Default").(string)
	if !ok {
		return "", fmt.Errorf("the parameter %s has no value", name)
	}
	return value, nil
}

var placeholder = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// text resolves a value that is a text. A function of CloudFormation that it does not know is an error.
func (v values) text(node any) (string, error) {
	if s, ok := node.(string); ok {
		return s, nil
	}
	m, _ := node.(map[string]any)
	if len(m) != 1 {
		return "", fmt.Errorf("%s is no text", stack.Text(node))
	}
	switch name := stack.Keys(m)[0]; name {
	case "Ref", "GetAtt":
		return v.reference(stack.Str(m[name]), name == "GetAtt")
	case "Sub":
		return v.substitute(m[name])
	case "If":
		branch, err := v.branch(m[name])
		if err != nil {
			return "", err
		}
		return v.text(branch)
	default:
		return "", fmt.Errorf("%s: the function %s is not known here", stack.Text(node), name)
	}
}

func (v values) substitute(node any) (text string, err error) {
	format, ok := node.(string)
	if !ok {
		return "", fmt.Errorf("!Sub %s: only a text is known here", stack.Text(node))
	}
	text = placeholder.ReplaceAllStringFunc(format, func(s string) string {
		name := s[2 : len(s)-1]
		value, failed := v.reference(name, strings.Contains(name, "."))
		if failed != nil && err == nil {
			err = failed
		}
		return value
	})
	return text, err
}

// branch chooses one of the two branches of an !If.
func (v values) branch(node any) (any, error) {
	parts := stack.List(node)
	if len(parts) != 3 {
		return nil, fmt.Errorf("!If %s needs a condition and two values", stack.Text(node))
	}
	holds, err := v.condition(stack.Str(parts[0]))
	if err != nil {
		return nil, err
	}
	if holds {
		return parts[1], nil
	}
	return parts[2], nil
}

// condition evaluates a condition of the template by its name.
func (v values) condition(name string) (bool, error) {
	node := stack.At(v.template.Root, "Conditions", name)
	if node == nil {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	holds, err := v.holds(node)
	if err != nil {
		err = fmt.Errorf("condition %s: %w", name, err)
	}
	return holds, err
}

func (v values) holds(node any) (bool, error) {
	if inner := stack.List(stack.At(node, "Not")); len(inner) == 1 {
		holds, err := v.holds(inner[0])
		return !holds, err
	}
	sides := stack.List(stack.At(node, "Equals"))
	if len(sides) != 2 {
		return false, fmt.Errorf("%s is not known here", stack.Text(node))
	}
	left, err := v.text(sides[0])
	if err != nil {
		return false, err
	}
	right, err := v.text(sides[1])
	return left == right, err
}

// reference resolves a !Ref, or a !GetAtt with a dot.
func (v values) reference(text string, attribute bool) (string, error) {
	pseudo := map[string]string{
		"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": "aws", "AWS::StackName": v.stack,
		"AWS::URLSuffix": "amazonaws.com",
	}
	if value, ok := pseudo[text]; ok {
		return value, nil
	}
	if stack.At(v.template.Root, "Parameters", text) != nil && !attribute {
		return v.parameter(text)
	}
	id, member, _ := strings.Cut(text, ".")
	return v.resource(id, member)
}

// resource returns the Ref of a resource, or an attribute of it.
func (v values) resource(id, attribute string) (string, error) {
	kind := v.template.Type(id)
	if kind == "" {
		return "", fmt.Errorf("there is no %s", id)
	}
	if name, ok := stack.At(v.template.Root, "Resources", id, "Condition").(string); ok {
		if made, err := v.condition(name); err != nil || !made {
			return "", fmt.Errorf("%s is not made, since %s does not hold: %w", id, name, err)
		}
	}
	name := v.stack + "-" + id
	arn := func(service, rest string) (string, error) {
		return "arn:aws:" + service + ":" + region + ":" + account + ":" + rest, nil
	}
	switch kind + "." + attribute {
	case "AWS::DynamoDB::Table.", "AWS::SES::ConfigurationSet.", "AWS::KMS::Key.", "AWS::KMS::Key.KeyId",
		"AWS::SQS::Queue.QueueName", "AWS::Serverless::HttpApi.", "AWS::Serverless::Function.":
		return name, nil
	case "AWS::DynamoDB::Table.Arn":
		return arn("dynamodb", "table/"+name)
	case "AWS::DynamoDB::Table.StreamArn":
		return arn("dynamodb", "table/"+name+"/stream/2018-02-26T00:00:00.000")
	case "AWS::KMS::Key.Arn":
		return arn("kms", "key/"+name)
	case "AWS::S3::Bucket.":
		return strings.ToLower(name), nil
	case "AWS::S3::Bucket.Arn":
		return "arn:aws:s3:::" + strings.ToLower(name), nil
	case "AWS::SNS::Topic.", "AWS::SNS::Topic.TopicArn":
		return arn("sns", name)
	case "AWS::SQS::Queue.Arn":
		return arn("sqs", name)
	case "AWS::SecretsManager::Secret.":
		if secret, ok := v.secrets[id]; ok {
			return secret, nil
		}
	}
	if attribute == "" {
		return "", fmt.Errorf("!Ref %s: nothing here stands for a resource of type %s", id, kind)
	}
	return "", fmt.Errorf("!GetAtt %s.%s: nothing here stands for this attribute of %s", id, attribute, kind)
}
