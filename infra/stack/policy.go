package stack

import (
	"slices"
	"strings"
)

// reaches says what each action is allowed on. An action that is not here is a finding, so that somebody thinks of it.
var reaches = map[string]string{
	"dynamodb:GetItem":    "!GetAtt Table.Arn",
	"dynamodb:Query":      "!GetAtt Table.Arn",
	"dynamodb:UpdateItem": "!GetAtt Table.Arn",
	"dynamodb:DeleteItem": "!GetAtt Table.Arn",
	"s3:GetObject":        "!Sub ${PackagesBucket.Arn}/jars/*",
	"s3:PutObject":        "!Sub ${PackagesBucket.Arn}/tailored/*",
	"ses:SendRawEmail": "[!Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${MailIdentity}, " +
		"!Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/${MailConfigurationSet}, " +
		"{If: [InSandbox, !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*, " +
		"!Ref AWS::NoValue]}]",
	"ses:GetSendQuota": "*", // of the account: it has no resource

	// What each function has of its own.
	"ConsoleFunction kms:Sign":                      "[!GetAtt EvaluationKey.Arn, !GetAtt ProductionKey.Arn]",
	"BridgeFunction kms:Sign":                       "!GetAtt BridgeKey.Arn",
	"ConsoleFunction secretsmanager:GetSecretValue": "[!Ref ConsoleSecret, !Ref HashSecret]",
	"AccountFunction secretsmanager:GetSecretValue": "!Ref AccountSecret",
}

// public are the functions with a database that anybody can call: their roles are held to the partitions that they use.
var public = []string{"AccountFunction", "RequestsFunction"}

// checkRoles: a function's role has statements of its own and nothing else: no managed policy, no template of SAM, no
// wildcard; each allows an action on what it is meant for, under the condition that belongs to it.
func checkRoles(c *checker) {
	for id, f := range c.Template.Functions() {
		for _, policy := range append(List(f["Policies"]), c.Template.RolePolicies(id)...) {
			if At(policy, "Statement") == nil {
				c.add(id, "the policy %.60s has no statements here: managed policies and templates allow more",
					Text(policy))
				continue
			}
			c.only(id, policy, "Version", "Statement")
			c.is(id, policy, "Version", "2012-10-17")
			for _, statement := range List(At(policy, "Statement")) {
				c.roleStatement(id, statement)
			}
		}
	}
}

func (c *checker) roleStatement(id string, statement any) {
	c.only(id, statement, "Effect", "Action", "Resource", "Condition", "Sid")
	c.is(id, statement, "Effect", "Allow")
	actions := List(At(statement, "Action"))
	c.want(len(actions) > 0, id, "a statement without an action")
	for _, action := range actions {
		action := Str(action)
		where := id + " " + action
		want, known := reaches[action]
		if !known {
			want, known = reaches[where]
		}
		switch {
		case strings.ContainsAny(action, "*?"):
			c.add(where, "an action with a wildcard")
		case !known:
			c.add(where, "no rule says on what it is allowed: add one to infra/stack")
		default:
			c.want(Text(At(statement, "Resource")) == want, where, "it is allowed on %s, want %s",
				Text(At(statement, "Resource")), want)
		}
		c.condition(id, where, action, At(statement, "Condition"))
	}
}

// condition: sending is held to the sender's address, a function that anybody can call to the partitions that it uses.
// Other statements have no condition, which could switch off what a function does.
func (c *checker) condition(id, where, action string, condition any) {
	switch {
	case action == "ses:SendRawEmail":
		c.want(Text(condition) == "{StringEquals: {ses:FromAddress: !Sub ${MailFromUser}@${MailIdentity}}}", where,
			"its condition is %s, want the sender's address", Text(condition))
	case slices.Contains(public, id) && strings.HasPrefix(action, "dynamodb:"):
		c.only(where, condition, "ForAllValues:StringLike", "Null")
		for _, operator := range []string{"ForAllValues:StringLike", "Null"} {
			keys := Keys(At(condition, operator))
			c.want(slices.Equal(keys, []string{"dynamodb:LeadingKeys"}), where, "%s is about %v, want LeadingKeys",
				operator, keys)
		}
		c.want(Text(At(condition, "Null", "dynamodb:LeadingKeys")) == "false", where,
			"a request that names no partition is allowed")
	default:
		c.want(condition == nil, where, "it has the condition %s, want none", Text(condition))
	}
}

// signing are the policies that stand apart from their roles, because keys name the roles.
var signing = map[string]string{"ConsoleSigning": "ConsoleFunctionRole", "BridgeSigning": "BridgeFunctionRole"}

// checkResourcePolicies: whoever a queue, a topic, a bucket or a key lets in is a service that acts for a resource of
// ours, or an identity of this account.
func checkResourcePolicies(c *checker) {
	for _, id := range c.Template.Resources("") {
		if c.Template.Type(id) == "AWS::IAM::RolePolicy" {
			c.want(Text(At(c.Template.Properties(id), "RoleName")) == "!Ref "+signing[id], id,
				"it is of %s", Text(At(c.Template.Properties(id), "RoleName")))
			continue
		}
		for _, key := range []string{"PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument"} {
			document := At(c.Template.Properties(id), key)
			if document == nil {
				continue
			}
			c.only(id, document, "Version", "Statement", "Id")
			c.is(id, document, "Version", "2012-10-17")
			for _, statement := range List(At(document, "Statement")) {
				c.resourceStatement(id, statement)
			}
		}
	}
	c.letsIn("MailEventsPolicy", "Topics", "[!Ref MailEvents]", "ses.amazonaws.com", "sns:Publish",
		"!Ref MailEvents",
		"{ArnEquals: {aws:SourceArn: !Sub arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:"+
			"configuration-set/${MailConfigurationSet}}, StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}")
	c.letsIn("MailQueuesPolicy", "Queues", "[!Ref MailAcceptedQueue, !Ref MailOutcomeQueue]", "sns.amazonaws.com",
		"sqs:SendMessage", "[!GetAtt MailAcceptedQueue.Arn, !GetAtt MailOutcomeQueue.Arn]",
		"{ArnEquals: {aws:SourceArn: !Ref MailEvents}}")
	c.letsIn("FailedRunsPolicy", "Queues", "[!Ref FailedRuns]", "sns.amazonaws.com", "sqs:SendMessage",
		"!GetAtt FailedRuns.Arn", "{ArnEquals: {aws:SourceArn: !Ref MailEvents}}")
	c.letsIn("AlarmsPolicy", "Topics", "[!Ref Alarms]", "cloudwatch.amazonaws.com", "sns:Publish", "!Ref Alarms",
		"{ArnLike: {aws:SourceArn: !Sub arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*}}")
	c.letsIn("AlarmsPolicy", "Topics", "[!Ref Alarms]", "events.amazonaws.com", "sns:Publish", "!Ref Alarms", "missing")
	const bucket = "PackagesBucketPolicy"
	for distribution, reads := range map[string][][2]string{
		"CatalogDistribution": {{"s3:GetObject", "!Sub ${PackagesBucket.Arn}/*"},
			{"s3:ListBucket", "!GetAtt PackagesBucket.Arn"}},
		"SiteDistribution": {{"s3:GetObject", "!Sub ${PackagesBucket.Arn}/errors/*"}},
	} {
		for _, read := range reads {
			c.letsIn(bucket, "Bucket", "!Ref PackagesBucket", "cloudfront.amazonaws.com", read[0], read[1],
				"{ArnEquals: {aws:SourceArn: !Sub arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${"+
					distribution+"}}}")
		}
	}
	denied := Text(At(c.Template.Properties(bucket), "PolicyDocument", "Statement"))
	c.want(strings.Contains(denied, "{Action: s3:GetObject, Effect: Deny, "+
		"Principal: {Service: cloudfront.amazonaws.com}, Resource: !Sub ${PackagesBucket.Arn}/jars/*,"),
		bucket, "anybody may download jars")
	c.want(strings.Contains(denied, "Condition: {Bool: {aws:SecureTransport: false}}, Effect: Deny, Principal: *"),
		bucket, "it is read without encryption")
}

// resourceStatement is one of a resource's policy.
func (c *checker) resourceStatement(id string, statement any) {
	c.only(id, statement, "Effect", "Action", "Resource", "Condition", "Principal", "Sid")
	if At(statement, "Effect") == "Deny" {
		return // takes away only; what has to work has a rule of its own
	}
	c.is(id, statement, "Effect", "Allow")
	principal := At(statement, "Principal")
	c.only(id+".Principal", principal, "Service", "AWS")
	c.want(len(Keys(principal)) > 0, id, "it lets %s in", Text(principal))
	for _, service := range List(At(principal, "Service")) {
		c.want(strings.HasSuffix(Str(service), ".amazonaws.com"), id, "there is no service %s", Text(service))
		condition := Text(At(statement, "Condition"))
		assumed := At(statement, "Action") == "sts:AssumeRole"                // by the service for itself
		nameless := id == "AlarmsPolicy" && service == "events.amazonaws.com" // it names no source to SNS
		c.want(assumed || nameless || strings.Contains(condition, "aws:SourceArn") ||
			strings.Contains(condition, "aws:SourceAccount"), id, "%s may come in for another account", Text(service))
		c.want(!strings.Contains(condition, ": *}"), id, "its condition %s is always true", condition)
	}
	for _, identity := range List(At(principal, "AWS")) {
		text := Text(identity)
		ours := strings.Contains(text, "${AWS::AccountId}") || strings.HasPrefix(text, "!GetAtt ") &&
			strings.HasSuffix(text, "Role.Arn")
		c.want(ours, id, "it lets %s in, who is not of this account", text)
	}
	for _, action := range List(At(statement, "Action")) {
		c.want(Str(action) != "*" && Str(action) != "sqs:*" && Str(action) != "sns:*" && Str(action) != "s3:*", id,
			"it allows %s", Text(action))
	}
}

// letsIn: a policy of a queue or topic has the one statement that makes mail events flow.
func (c *checker) letsIn(id, of, resources, service, action, resource, condition string) {
	p := c.Template.Properties(id)
	c.is(id, p, of, resources)
	statements := List(At(p, "PolicyDocument", "Statement"))
	ok := slices.ContainsFunc(statements, func(s any) bool {
		return Text(At(s, "Effect")) == "Allow" && Text(At(s, "Principal")) == "{Service: "+service+"}" &&
			Text(At(s, "Action")) == action && Text(At(s, "Resource")) == resource &&
			Text(At(s, "Condition")) == condition
	})
	c.want(ok, id, "no statement allows %s to %s on %s if %s", service, action, resource, condition)
}
