package stack

import (
	"slices"
	"strings"
)

// signers says which function alone signs with each key, and which of its variables names it.
var signers = map[string]struct{ function, variable string }{
	"EvaluationKey": {"ConsoleFunction", "LICENSE_SIGNERS"},
	"ProductionKey": {"ConsoleFunction", "LICENSE_SIGNERS"},
	"BridgeKey":     {"BridgeFunction", "BRIDGE_SIGNERS"},
}

// checkKeys: licenses are signed with P-256 keys that are for signing only, stay when the stack goes, and that nobody
// but this account uses, each in the name of one function. Its variable and the output name them.
func checkKeys(c *checker) {
	ids := c.Template.Resources("AWS::KMS::Key")
	for _, id := range ids {
		p := c.Template.Properties(id)
		c.only(id, p, "Description", "KeySpec", "KeyUsage", "KeyPolicy", "Tags", "Enabled", "PendingWindowInDays")
		c.is(id, p, "KeySpec", "ECC_NIST_P256")
		c.is(id, p, "KeyUsage", "SIGN_VERIFY")
		c.is(id, p, "Enabled", "missing", "true")
		c.is(id, p, "PendingWindowInDays", "missing", "30")
		var may []string // each statement's actions, whom it lets in and when
		for _, s := range List(At(p, "KeyPolicy", "Statement")) {
			actions := List(At(s, "Action"))
			slices.SortFunc(actions, func(a, b any) int { return strings.Compare(Str(a), Str(b)) })
			may = append(may, strings.Join([]string{Text(At(s, "Effect")), Text(actions), Text(At(s, "Principal")),
				Text(At(s, "Condition"))}, " "))
		}
		by, known := signers[id]
		c.want(known, id, "no rule says who signs with it: add one to infra/stack")
		want := keyPolicy(by.function)
		c.want(slices.Equal(may, want), id, "its policy is %q, want %q", may, want)
		for _, statement := range List(At(p, "KeyPolicy", "Statement")) {
			c.is(id, statement, "Resource", "*") // of a key's policy, the key
		}
		c.kept(id)
		variable := Text(At(c.Template.Functions()[by.function]["Environment"], "Variables", by.variable))
		output := Text(At(c.Template.Root, "Outputs", "LicenseSigners", "Value"))
		for where, text := range map[string]string{by.variable: variable, "the output LicenseSigners": output} {
			c.want(strings.Contains(text, "${"+id+".Arn}"), id, "it is not in %s", where)
		}
	}
	for id := range signers {
		c.want(slices.Contains(ids, id), id, "it is missing")
	}
}

// keyPolicy is who may do what with a key: administrators manage it without signing or granting, a function signs.
func keyPolicy(function string) []string {
	return []string{
		"Allow [kms:CancelKeyDeletion, kms:Describe*, kms:DisableKey, kms:EnableKey, kms:Get*, kms:List*, " +
			"kms:PutKeyPolicy, kms:ScheduleKeyDeletion, kms:TagResource, kms:UntagResource, " +
			"kms:UpdateKeyDescription] {AWS: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:root} missing",
		"Allow [kms:Sign] {AWS: !Sub arn:${AWS::Partition}:iam::${AWS::AccountId}:root} " +
			"{ArnEquals: {aws:PrincipalArn: !GetAtt " + function + "Role.Arn}, " +
			"StringEquals: {kms:MessageType: DIGEST, kms:SigningAlgorithm: ECDSA_SHA_256}}",
	}
}

// kept: a resource outlives its stack and its replacement.
func (c *checker) kept(id string) {
	r := At(c.Template.Root, "Resources", id)
	c.is(id, r, "DeletionPolicy", "RetainExceptOnCreate")
	c.is(id, r, "UpdateReplacePolicy", "Retain")
}

// checkTable: the table can be put back to any second of the last 35 days, cannot be deleted by mistake, and has no
// index of DynamoDB's, since our indexes are rows (storage.md).
func checkTable(c *checker) {
	ids := c.Template.Resources("AWS::DynamoDB::Table")
	c.want(slices.Equal(ids, []string{"Table"}), "Table", "the tables are %v, want one", ids)
	c.want(len(c.Template.Resources("AWS::DynamoDB::GlobalTable")) == 0, "Table", "a second, global table")
	for _, id := range ids {
		p := c.Template.Properties(id)
		c.only(id, p, "BillingMode", "DeletionProtectionEnabled", "KeySchema", "AttributeDefinitions", "Tags",
			"StreamSpecification", "TimeToLiveSpecification", "PointInTimeRecoverySpecification", "SSESpecification")
		c.is(id, p, "BillingMode", "PAY_PER_REQUEST")
		c.is(id, p, "KeySchema", "[{AttributeName: PK, KeyType: HASH}, {AttributeName: SK, KeyType: RANGE}]")
		c.is(id, p, "AttributeDefinitions",
			"[{AttributeName: PK, AttributeType: S}, {AttributeName: SK, AttributeType: S}]")
		c.is(id, p, "StreamSpecification", "{StreamViewType: KEYS_ONLY}")
		c.is(id, p, "TimeToLiveSpecification", "{AttributeName: expires, Enabled: true}")
		protection := Text(At(p, "DeletionProtectionEnabled"))
		c.want(protection == "{If: [IsProtected, true, false]}", id, "DeletionProtectionEnabled is %s", protection)
		recovery := At(p, "PointInTimeRecoverySpecification")
		c.only(id+".PointInTimeRecoverySpecification", recovery, "PointInTimeRecoveryEnabled", "RecoveryPeriodInDays")
		c.is(id, recovery, "PointInTimeRecoveryEnabled", "true")
		c.is(id, recovery, "RecoveryPeriodInDays", "missing", "35")
		c.is(id, p, "SSESpecification", "{SSEEnabled: true}")
		c.kept(id)
	}
}

// checkBuckets: nobody reads a bucket but whom a policy lets in, and what was overwritten can be had back.
func checkBuckets(c *checker) {
	for _, id := range c.Template.Resources("AWS::S3::Bucket") {
		p := c.Template.Properties(id)
		c.only(id, p, "OwnershipControls", "PublicAccessBlockConfiguration", "VersioningConfiguration", "Tags",
			"LifecycleConfiguration", "BucketEncryption", "CorsConfiguration")
		c.is(id, p, "CorsConfiguration", "{CorsRules: [{AllowedHeaders: [*], AllowedMethods: [GET, HEAD], "+
			"AllowedOrigins: [*], MaxAge: 86400}]}")
		c.is(id, p, "PublicAccessBlockConfiguration", "{BlockPublicAcls: true, BlockPublicPolicy: true, "+
			"IgnorePublicAcls: true, RestrictPublicBuckets: true}")
		owner := Text(At(p, "OwnershipControls"))
		enforced := strings.Contains(owner, "BucketOwnerEnforced")
		c.want(enforced || id != "PackagesBucket", id, "its objects may have ACLs")
		c.want(id != "PackagesBucket" || Text(At(p, "VersioningConfiguration", "Status")) == "Enabled", id,
			"what is overwritten is lost")
		for _, rule := range List(At(p, "LifecycleConfiguration", "Rules")) {
			_, expires := rule.(map[string]any)["ExpirationInDays"]
			c.want(!expires || id != "PackagesBucket", id, "published packages expire")
		}
		if id == "PackagesBucket" {
			c.kept(id)
		}
	}
}

// checkLogs: every log is kept as long as the parameter says, and no longer. The API's log has no address, no path and
// no query: a path opens a customer's status page.
func checkLogs(c *checker) {
	for _, id := range c.Template.Resources("AWS::Logs::LogGroup") {
		p := c.Template.Properties(id)
		c.only(id, p, "LogGroupName", "RetentionInDays", "Tags")
		c.is(id, p, "RetentionInDays", "!Ref LogRetentionDays")
		if id == "ApiLog" {
			c.is(id, p, "LogGroupName", "!Sub /aws/vendedlogs/${AWS::StackName}/api")
		} else {
			c.is(id, p, "LogGroupName", "missing") // a name would outlive the stack and be in the way of the next
		}
	}
}
