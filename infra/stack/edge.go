package stack

import "strings"

// watched says of what each alarm on a metric of AWS's own is; the others are of the whole account.
var watched = map[string]string{
	"AccountErrorsAlarm":    "[{Name: FunctionName, Value: !Ref AccountFunction}]",
	"ApiErrorsAlarm":        "[{Name: ApiId, Value: !Ref Api}]",
	"ApiLatencyAlarm":       "[{Name: ApiId, Value: !Ref Api}]",
	"BridgeAgeAlarm":        "[{Name: FunctionName, Value: !Ref BridgeFunction}]",
	"BridgeErrorsAlarm":     "[{Name: FunctionName, Value: !Ref BridgeFunction}]",
	"CatalogErrorsAlarm":    "[{Name: FunctionName, Value: !Ref CatalogFunction}]",
	"ConsoleErrorsAlarm":    "[{Name: FunctionName, Value: !Ref ConsoleFunction}]",
	"FailedRunsAlarm":       "[{Name: QueueName, Value: !GetAtt FailedRuns.QueueName}]",
	"MailEventsErrorsAlarm": "[{Name: FunctionName, Value: !Ref MailEventsFunction}]",
	"MailerErrorsAlarm":     "[{Name: FunctionName, Value: !Ref MailerFunction}]",
	"RemindersErrorsAlarm":  "[{Name: FunctionName, Value: !Ref RemindersFunction}]",
	"RequestsErrorsAlarm":   "[{Name: FunctionName, Value: !Ref RequestsFunction}]",
	"StreamAgeAlarm":        "[{Name: FunctionName, Value: !Ref MailerFunction}]",
	"TableThrottlesAlarm":   "[{Name: TableName, Value: !Ref Table}]",
}

// checkWatched: an alarm on a metric of AWS's own watches what it is named for.
func checkWatched(c *checker) {
	for _, id := range c.Template.Resources("AWS::CloudWatch::Alarm") {
		p := c.Template.Properties(id)
		if Str(At(p, "Namespace")) == "Marketplace" {
			continue // shared/alarm says what these are of
		}
		want, known := watched[id]
		if !known {
			want = "missing"
		}
		c.is(id, p, "Dimensions", want)
		c.only(id, p, "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "ExtendedStatistic",
			"Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
			"AlarmActions", "OKActions")
	}
}

// ruledTypes are all that rules are about. Another type needs a rule, or a reason for none here.
var ruledTypes = strings.Fields(`
	AWS::ApiGatewayV2::ApiMapping AWS::ApiGatewayV2::DomainName AWS::Backup::BackupPlan AWS::Backup::BackupSelection
	AWS::Backup::BackupVault AWS::CertificateManager::Certificate AWS::CloudFront::CachePolicy
	AWS::CloudFront::Distribution AWS::CloudFront::OriginAccessControl AWS::CloudFront::ResponseHeadersPolicy
	AWS::CloudWatch::Alarm AWS::Cognito::UserPool AWS::Cognito::UserPoolClient AWS::Cognito::UserPoolDomain
	AWS::Cognito::UserPoolGroup AWS::DynamoDB::Table AWS::Events::Rule AWS::IAM::Role AWS::IAM::RolePolicy AWS::KMS::Key
	AWS::Logs::LogGroup AWS::S3::Bucket AWS::S3::BucketPolicy AWS::SES::ConfigurationSet
	AWS::SES::ConfigurationSetEventDestination AWS::SES::EmailIdentity AWS::SNS::Subscription AWS::SNS::Topic
	AWS::SNS::TopicPolicy AWS::SQS::Queue AWS::SQS::QueuePolicy AWS::SecretsManager::Secret AWS::Serverless::Function
	AWS::Serverless::HttpApi
	AWS::CloudWatch::Dashboard`) // shows only; cfn-lint reads its JSON

// checkTypes: there is no resource of a type that no rule is about.
func checkTypes(c *checker) {
	known := " " + strings.Join(ruledTypes, " ") + " "
	for _, id := range c.Template.Resources("") {
		kind := c.Template.Type(id)
		c.want(strings.Contains(known, " "+kind+" "), id, "no rule is about %s", kind)
		c.only(id, At(c.Template.Root, "Resources", id), "Type", "Properties", "Condition", "DependsOn", "Metadata",
			"DeletionPolicy", "UpdateReplacePolicy")
	}
}

// limit is a rule of the WebACL: how many POST requests one address may send within five minutes, of those that a
// statement describes.
func limit(name, priority, parameter, statement string) string {
	return "{Action: {Block: {CustomResponse: {CustomResponseBodyKey: TooMany, ResponseCode: 429, " +
		"ResponseHeaders: [{Name: retry-after, Value: 300}, {Name: cache-control, Value: no-store}]}}}, " +
		"Name: " + name + ", Priority: " + priority + ", Statement: {RateBasedStatement: {AggregateKeyType: IP, " +
		"EvaluationWindowSec: 300, Limit: !Ref " + parameter + ", ScopeDownStatement: {AndStatement: {Statements: [" +
		"{ByteMatchStatement: {FieldToMatch: {Method: {}}, PositionalConstraint: EXACTLY, SearchString: POST, " +
		"TextTransformations: [{Priority: 0, Type: NONE}]}}, " + statement + "]}}}}, " +
		"VisibilityConfig: {CloudWatchMetricsEnabled: true, MetricName: !Sub ${AWS::StackName}-" + name + ", " +
		"SampledRequestsEnabled: false}}"
}

// onPath is a statement about the path of a request.
func onPath(pattern string) string {
	return "{RegexMatchStatement: {FieldToMatch: {UriPath: {}}, RegexString: " + pattern + ", TextTransformations: [" +
		"{Priority: 0, Type: URL_DECODE}, {Priority: 1, Type: NORMALIZE_PATH}]}}"
}

// edgeFixed are the resources of infra/edge.yaml: a limit for forms and key checks of an address and a lower one for
// links to sign in with, whose answer is a page, and a log without addresses, paths and queries.
var edgeFixed = map[string]map[string]string{
	"Certificate": {
		"DomainName":              "!Ref SiteHost",
		"SubjectAlternativeNames": "[!Ref PackagesHost, !Sub *.${OriginZone}]",
		"ValidationMethod":        "DNS",
	},
	"WebAcl": {
		"DefaultAction": "{Allow: {}}",
		"Name":          "!Sub ${AWS::StackName}-site",
		"Scope":         "CLOUDFRONT",
		"VisibilityConfig": "{CloudWatchMetricsEnabled: true, MetricName: !Sub ${AWS::StackName}-site, " +
			"SampledRequestsEnabled: false}",
		"Rules": "[" +
			limit("forms", "0", "FormsPerAddress",
				"{NotStatement: {Statement: "+onPath("^/(console|reminders/stop)(/|$)")+"}}") + ", " +
			limit("signins", "1", "SignInsPerAddress", onPath("^/account/signin(/|$)")) + "]",
	},
	"Alarms":            {},
	"AlarmSubscription": {"TopicArn": "!Ref Alarms", "Protocol": "email", "Endpoint": "!Ref AlarmEmail"},
	"SiteLog": {
		"LogGroupName":    "!Sub /aws/vendedlogs/${AWS::StackName}/site",
		"RetentionInDays": "!Ref LogRetentionDays",
	},
	"SiteLogPolicy": {
		"PolicyName": "!Sub ${AWS::StackName}-site",
		"PolicyDocument": `!Sub {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` +
			`{"Service":"delivery.logs.amazonaws.com"}, "Action":["logs:CreateLogStream","logs:PutLogEvents"], ` +
			`"Resource":"arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:` +
			`log-group:${SiteLog}:log-stream:*", ` +
			`"Condition":{"StringEquals":{"aws:SourceAccount":"${AWS::AccountId}"}}}]}`,
	},
	"SiteLogSource": {
		"Name":        "!Sub ${AWS::StackName}-site",
		"ResourceArn": "!Sub arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${SiteDistribution}",
		"LogType":     "ACCESS_LOGS",
	},
	"SiteLogDestination": {
		"Name": "!Sub ${AWS::StackName}-site",
		"DestinationResourceArn": "!Sub arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:" +
			"log-group:${SiteLog}",
		"OutputFormat": "json",
	},
	"SiteLogDelivery": {
		"DeliveryDestinationArn": "!GetAtt SiteLogDestination.Arn",
		"DeliverySourceName":     "!Ref SiteLogSource",
		"RecordFields": "[date, time, x-edge-location, x-edge-request-id, cs-method, sc-status, sc-bytes, " +
			"time-taken, x-edge-result-type, x-edge-detailed-result-type, ssl-protocol, cs-protocol-version]",
	},
}

// edgeSays are further values of infra/edge.yaml, by their path.
var edgeSays = map[string]string{
	"Outputs.CertificateArn.Value":                       "!Ref Certificate",
	"Outputs.WebAclArn.Value":                            "!GetAtt WebAcl.Arn",
	"Conditions.HasAlarmEmail":                           "{Not: [{Equals: [!Ref AlarmEmail, ]}]}",
	"Conditions.HasCatalog":                              "{Not: [{Equals: [!Ref CatalogDistribution, ]}]}",
	"Conditions.HasSite":                                 "{Not: [{Equals: [!Ref SiteDistribution, ]}]}",
	"Parameters.FormsPerAddress.Default":                 "100",
	"Parameters.FormsPerAddress.MinValue":                "10",
	"Parameters.SignInsPerAddress.Default":               "30",
	"Parameters.SignInsPerAddress.MinValue":              "10",
	"Parameters.LogRetentionDays.Default":                "90",
	"Resources.Certificate.DeletionPolicy":               "RetainExceptOnCreate",
	"Resources.Certificate.UpdateReplacePolicy":          "Retain",
	"Resources.AlarmSubscription.Condition":              "HasAlarmEmail",
	"Resources.SiteLogDelivery.DependsOn":                "SiteLogPolicy",
	"Resources.SiteErrorsAlarm.Properties.MetricName":    "5xxErrorRate",
	"Resources.SiteErrorsAlarm.Properties.Threshold":     "5", // per cent
	"Resources.CatalogErrorsAlarm.Properties.MetricName": "5xxErrorRate",
	"Resources.CatalogErrorsAlarm.Properties.Threshold":  "1",
	"Resources.SiteErrorsAlarm.Condition":                "HasSite",
	"Resources.CatalogErrorsAlarm.Condition":             "HasCatalog",
	"Resources.SiteErrorsAlarm.Properties.Dimensions": "[{Name: DistributionId, Value: !Ref SiteDistribution}, " +
		"{Name: Region, Value: Global}]",
	"Resources.CatalogErrorsAlarm.Properties.Dimensions": "[{Name: DistributionId, " +
		"Value: !Ref CatalogDistribution}, {Name: Region, Value: Global}]",
}

// checkEdge: infra/edge.yaml has what CloudFront takes from us-east-1 only, in its one form.
func checkEdge(c *checker) {
	stack := c.Template
	c.Template = c.Edge
	defer func() { c.Template = stack }()
	for _, id := range c.Template.Resources("") {
		_, known := edgeFixed[id]
		alarm := c.Template.Type(id) == "AWS::CloudWatch::Alarm"
		c.want(known || alarm, id, "no rule is about it in infra/edge.yaml")
	}
	for id, properties := range edgeFixed {
		c.want(c.Template.Type(id) != "", id, "it is missing in infra/edge.yaml")
		p := c.Template.Properties(id)
		known := []string{"Tags", "CustomResponseBodies"}
		for key, want := range properties {
			c.is(id, p, key, want)
			known = append(known, key)
		}
		c.only(id, p, known...)
	}
	for at, want := range edgeSays {
		got := Text(At(c.Template.Root, strings.Split(at, ".")...))
		c.want(got == want, at, "it is %s, want %s", got, want)
	}
	// Hosts and zones take what template.yaml takes, so that no deployment fails over the other's.
	ours, theirs := At(c.Template.Root, "Parameters"), At(stack.Root, "Parameters")
	for _, name := range Keys(ours) {
		same := name
		if strings.HasSuffix(name, "Host") {
			same = "MailIdentity" // a domain, too
		}
		pattern := Text(At(theirs, same, "AllowedPattern"))
		if name == "OriginZone" { // which template.yaml may lack
			pattern = strings.Replace(strings.Replace(pattern, "^(", "^", 1), ")?$", "$", 1)
		}
		if strings.HasSuffix(name, "Distribution") {
			pattern = "^[A-Z0-9]*$"
		}
		c.is(name, At(ours, name), "AllowedPattern", pattern)
		wants := "missing" // but for what the first deployment cannot know, and nobody has to
		if name == "AlarmEmail" || strings.HasSuffix(name, "Distribution") {
			wants = ""
		}
		if At(ours, name, "Type") == "String" {
			c.is(name, At(ours, name), "Default", wants)
		}
	}
	page := Text(At(c.Template.Properties("WebAcl"), "CustomResponseBodies", "TooMany"))
	c.want(strings.Contains(page, "TEXT_HTML") && strings.Contains(page, "<h1>"), "WebAcl", "it answers without a page")
	checkReferences(c)
}
