package stack

import (
	"slices"
	"strings"
)

// account is what begins the ARN of a resource of the account.
const account = "arn:${AWS::Partition}:iam::"

// fixed are resources that have exactly one right form: each property, and why where it does not say so itself.
var fixed = map[string]map[string]string{
	// People are invited, have a second factor, and are found by their address. A code is valid once.
	"UserPool": {
		"UserPoolName":           "!Sub ${AWS::StackName}-console",
		"DeletionProtection":     "{If: [IsProtected, ACTIVE, INACTIVE]}",
		"UsernameAttributes":     "[email]",
		"UsernameConfiguration":  "{CaseSensitive: false}",
		"AutoVerifiedAttributes": "[email]",
		"AdminCreateUserConfig":  "{AllowAdminCreateUserOnly: true}",
		"MfaConfiguration":       "ON",
		"EnabledMfas":            "[SOFTWARE_TOKEN_MFA]",
		"AccountRecoverySetting": "{RecoveryMechanisms: [{Name: verified_email, Priority: 1}]}",
		"Policies":               "{PasswordPolicy: {MinimumLength: 12, TemporaryPasswordValidityDays: 3}}",
	},
	"UserPoolDomain": {"UserPoolId": "!Ref UserPool", "Domain": "!Sub ${Stage}-licenses-${AWS::AccountId}"},
	// A public client with PKCE has no secret. It takes no password through the API.
	"UserPoolClient": {
		"UserPoolId":                      "!Ref UserPool",
		"ClientName":                      "console",
		"GenerateSecret":                  "false",
		"SupportedIdentityProviders":      "[COGNITO]",
		"AllowedOAuthFlowsUserPoolClient": "true",
		"AllowedOAuthFlows":               "[code]",
		"AllowedOAuthScopes":              "[openid, email, profile]",
		"CallbackURLs":                    "[!Sub ${SiteUrl}/console/callback]",
		"LogoutURLs":                      "[!Sub ${SiteUrl}/console/signedout]",
		"ExplicitAuthFlows":               "[ALLOW_REFRESH_TOKEN_AUTH]",
		"PreventUserExistenceErrors":      "ENABLED",
		"EnableTokenRevocation":           "true",
		"IdTokenValidity":                 "5",
		"AccessTokenValidity":             "5",
		"RefreshTokenValidity":            "60",
		"TokenValidityUnits":              "{AccessToken: minutes, IdToken: minutes, RefreshToken: minutes}",
	},
	"ViewerGroup": {"UserPoolId": "!Ref UserPool", "GroupName": "viewer"},
	"SalesGroup":  {"UserPoolId": "!Ref UserPool", "GroupName": "sales"},
	"AdminGroup":  {"UserPoolId": "!Ref UserPool", "GroupName": "admin"},

	"OriginCertificate": {"DomainName": "!Sub *.${OriginZone}", "ValidationMethod": "DNS"},
	"OriginDomain": {
		"DomainName": "!Sub ${OriginLabel}.${OriginZone}",
		"DomainNameConfigurations": "[{CertificateArn: !Ref OriginCertificate, EndpointType: REGIONAL, " +
			"SecurityPolicy: TLS_1_2}]",
	},
	"OriginMapping": {
		"ApiId": "!Ref Api", "DomainName": "!Ref OriginDomain", "Stage": "!Ref ApiApiGatewayDefaultStage",
	},
	"BucketAccess": {"OriginAccessControlConfig": "{Name: !Sub ${AWS::StackName}-packages, " +
		"OriginAccessControlOriginType: s3, SigningBehavior: always, SigningProtocol: sigv4}"},
	"AnyOrigin": {"ResponseHeadersPolicyConfig": "{CorsConfig: " + anyOrigin +
		", Name: !Sub ${AWS::StackName}-any-origin, SecurityHeadersConfig: {ContentTypeOptions: {Override: true}}}"},
	"UnlistedAnyOrigin": {"ResponseHeadersPolicyConfig": "{CorsConfig: " + anyOrigin +
		", CustomHeadersConfig: {Items: [{Header: X-Robots-Tag, Override: true, Value: noindex}]}, " +
		"Name: !Sub ${AWS::StackName}-unlisted-any-origin, " +
		"SecurityHeadersConfig: {ContentTypeOptions: {Override: true}}}"},

	"ForeignSigning":       foreignSigning("ConsoleFunctionRole", "EvaluationKey", "ProductionKey"),
	"ForeignBridgeSigning": foreignSigning("BridgeFunctionRole", "BridgeKey"),
	"SigningKeyChange": {
		"Targets": "[{Arn: !Ref Alarms, Id: alarms}]",
		"EventPattern": "{detail: {eventName: [PutKeyPolicy, CreateGrant, DisableKey, ScheduleKeyDeletion], " +
			"eventSource: [kms.amazonaws.com], " + signingKeys("EvaluationKey", "ProductionKey", "BridgeKey") + "}, " +
			calls + "}",
	},

	// Bounces come through the configuration set alone.
	"MailDomain": {
		"EmailIdentity":         "!Ref MailIdentity",
		"DkimAttributes":        "{SigningEnabled: true}",
		"DkimSigningAttributes": "{NextSigningKeyLength: RSA_2048_BIT}",
		"MailFromAttributes": "{BehaviorOnMxFailure: USE_DEFAULT_VALUE, " +
			"MailFromDomain: !Sub bounce.${MailIdentity}}",
		"ConfigurationSetAttributes": "{ConfigurationSetName: !Ref MailConfigurationSet}",
		"FeedbackAttributes":         "{EmailForwardingEnabled: false}",
	},

	"BackupVault": {"BackupVaultName": "!Sub ${AWS::StackName}-table"},
	"BackupPlan": {"BackupPlan": "{BackupPlanName: !Sub ${AWS::StackName}-table, BackupPlanRule: [" +
		"{CompletionWindowMinutes: 720, Lifecycle: {DeleteAfterDays: 35}, RuleName: daily, " +
		"ScheduleExpression: cron(30 3 * * ? *), StartWindowMinutes: 60, TargetBackupVault: !Ref BackupVault}, " +
		"{CompletionWindowMinutes: 720, Lifecycle: {DeleteAfterDays: 366}, RuleName: monthly, " +
		"ScheduleExpression: cron(30 4 1 * ? *), StartWindowMinutes: 60, TargetBackupVault: !Ref BackupVault}]}"},
	"BackupRole": {
		"AssumeRolePolicyDocument": "{Statement: [{Action: sts:AssumeRole, Effect: Allow, " +
			"Principal: {Service: backup.amazonaws.com}}], Version: 2012-10-17}",
		"ManagedPolicyArns": "[!Sub " + account + "aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]",
	},
	"BackupSelection": {
		"BackupPlanId": "!Ref BackupPlan",
		"BackupSelection": "{IamRoleArn: !GetAtt BackupRole.Arn, Resources: [!GetAtt Table.Arn], " +
			"SelectionName: table}",
	},
}

const (
	anyOrigin = "{AccessControlAllowCredentials: false, AccessControlAllowHeaders: {Items: [*]}, " +
		"AccessControlAllowMethods: {Items: [GET, HEAD, OPTIONS]}, AccessControlAllowOrigins: {Items: [*]}, " +
		"AccessControlExposeHeaders: {Items: [*]}, AccessControlMaxAgeSec: 86400, OriginOverride: true}"
	calls = "detail-type: [AWS API Call via CloudTrail], source: [aws.kms]"
)

// signingKeys are the resources of an event about one of these keys.
func signingKeys(ids ...string) string {
	var arns []string
	for _, id := range ids {
		arns = append(arns, "!GetAtt "+id+".Arn")
	}
	return "resources: {ARN: [" + strings.Join(arns, ", ") + "]}"
}

// foreignSigning tells of signatures, with one of these keys, by anybody but a role. Sign counts as reading, which only
// this state sees.
func foreignSigning(role string, ids ...string) map[string]string {
	var names []string
	for _, id := range ids {
		names = append(names, "!Ref "+id, "!GetAtt "+id+".Arn")
	}
	done, asked := signingKeys(ids...), "requestParameters: {keyId: ["+strings.Join(names, ", ")+"]}"
	by := func(arn string) string {
		return "userIdentity: {sessionContext: {sessionIssuer: {arn: [{" + arn + "}]}}}"
	}
	others, nobody := by("anything-but: [!GetAtt "+role+".Arn]"), by("exists: false")
	return map[string]string{
		"State":   "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
		"Targets": "[{Arn: !Ref Alarms, Id: alarms}]",
		"EventPattern": "{detail: {$or: [{" + done + ", " + others + "}, {" + done + ", " + nobody + "}, {" +
			asked + ", " + others + "}, {" + asked + ", " + nobody + "}], eventName: [Sign], " +
			"eventSource: [kms.amazonaws.com]}, " + calls + "}",
	}
}

// checkFixed: these resources are there in their one form, and what people lose with them outlives the stack.
func checkFixed(c *checker) {
	for id, properties := range fixed {
		if c.Template.Type(id) == "" {
			c.add(id, "it is missing")
			continue
		}
		p := c.Template.Properties(id)
		known := []string{"Tags", "UserPoolTags", "Description"}
		for key, want := range properties {
			c.is(id, p, key, want)
			known = append(known, key)
		}
		c.only(id, p, known...)
	}
	c.kept("UserPool")
	c.kept("BackupVault")
	for _, id := range c.Template.Resources("AWS::IAM::Role") {
		c.want(id == "BackupRole", id, "a role that no rule is about")
	}
}

// checkRules: what has to be set together is on the page, and CloudFormation refuses anything else before it begins.
func checkRules(c *checker) {
	var rows []string
	for _, name := range Keys(At(c.Template.Root, "Rules")) {
		rule := At(c.Template.Root, "Rules", name)
		c.only(name, rule, "RuleCondition", "Assertions")
		var holds []string
		for _, assertion := range List(At(rule, "Assertions")) {
			c.only(name, assertion, "Assert", "AssertDescription")
			c.want(Str(At(assertion, "AssertDescription")) != "", name, "it does not say what is wrong")
			holds = append(holds, "`"+Text(At(assertion, "Assert"))+"`")
		}
		rows = append(rows, "`"+name+"` | `"+Text(At(rule, "RuleCondition"))+"` | "+strings.Join(holds, ", "))
	}
	c.rows("Rules", rows)
}

// checkConditions: what the stack has only sometimes is on the page, with what it depends on.
func checkConditions(c *checker) {
	var rows []string
	for _, name := range Keys(At(c.Template.Root, "Conditions")) {
		var ids []string
		for _, section := range []string{"Resources", "Outputs"} {
			for _, id := range Keys(At(c.Template.Root, section)) {
				if At(c.Template.Root, section, id, "Condition") == name {
					ids = append(ids, id)
				}
			}
		}
		slices.Sort(ids)
		list := "–"
		if len(ids) > 0 {
			list = strings.Join(ids, ", ")
		}
		rows = append(rows, "`"+name+"` | `"+Text(At(c.Template.Root, "Conditions", name))+"` | "+list)
	}
	c.rows("Conditions", rows)
}
