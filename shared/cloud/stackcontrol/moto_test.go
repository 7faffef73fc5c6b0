package stackcontrol

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// cutting is an HTTP client that fails each call after some.
type cutting struct {
	left  int
	calls int
}

var errCut = errors.New("cut off")

func (c *cutting) Do(r *http.Request) (*http.Response, error) {
	c.calls++
	if c.left--; c.left < 0 {
		return nil, errCut
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// At once: on a busy machine, one connection in some hundreds was closed before the SDK read the answer.
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, err
}

// onMoto returns a Control of moto's implementation of AWS, and the client that it calls with.
func onMoto(t *testing.T) (*Control, *cutting) {
	t.Helper()
	endpoint := os.Getenv("SES_ENDPOINT")
	if endpoint == "" {
		t.Skip("SES_ENDPOINT is not set: no AWS to control (infra/engines/with-moto.sh starts one)")
	}
	client := &cutting{left: 1 << 30}
	c := New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: client, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	c.Poll = time.Millisecond
	f := &fake{cut: client, stacks: map[string]*types.Stack{}, made: map[string][]types.StackResourceSummary{},
		pools: map[string]bool{}, vaults: map[string][]string{}}
	c.stacks, c.pools, c.vaults = f, f, f
	return c, client
}

// fake stands in for CloudFormation, Cognito and AWS Backup, of which moto does not have enough here: it knows the
// stacks of the tests. Its calls are cut off like the others.
type fake struct {
	cut    *cutting
	stacks map[string]*types.Stack // by ID
	made   map[string][]types.StackResourceSummary
	pools  map[string]bool
	vaults map[string][]string // recovery points by vault
}

func (f *fake) call() error {
	f.cut.calls++
	if f.cut.left--; f.cut.left < 0 {
		return errCut
	}
	return nil
}

func (f *fake) DescribeStacks(_ context.Context, in *cloudformation.DescribeStacksInput,
	_ ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	for id, s := range f.stacks {
		if id == *in.StackName || *s.StackName == *in.StackName && s.StackStatus != types.StackStatusDeleteComplete {
			if s.StackStatus == types.StackStatusDeleteInProgress {
				s.StackStatus = types.StackStatusDeleteComplete // at the next look
				return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{{StackId: s.StackId,
					StackName: s.StackName, StackStatus: types.StackStatusDeleteInProgress, Parameters: s.Parameters,
					Outputs: s.Outputs}}}, nil
			}
			return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{*s}}, nil
		}
	}
	return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack does not exist"}
}

func (f *fake) ListStacks(context.Context, *cloudformation.ListStacksInput, ...func(*cloudformation.Options)) (
	*cloudformation.ListStacksOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	out := &cloudformation.ListStacksOutput{}
	for _, s := range f.stacks {
		if s.StackStatus == types.StackStatusDeleteComplete {
			out.StackSummaries = append(out.StackSummaries,
				types.StackSummary{StackId: s.StackId, StackName: s.StackName})
		}
	}
	return out, nil
}

func (f *fake) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput,
	_ ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	return &cloudformation.ListStackResourcesOutput{StackResourceSummaries: f.made[*in.StackName]}, f.call()
}

func (f *fake) DeleteStack(_ context.Context, in *cloudformation.DeleteStackInput,
	_ ...func(*cloudformation.Options)) (*cloudformation.DeleteStackOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	f.stacks[*in.StackName].StackStatus = types.StackStatusDeleteInProgress
	return &cloudformation.DeleteStackOutput{}, nil
}

func (f *fake) DeleteUserPool(_ context.Context, in *cognitoidentityprovider.DeleteUserPoolInput,
	_ ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.DeleteUserPoolOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	if !f.pools[*in.UserPoolId] {
		return nil, &smithy.GenericAPIError{Code: "ResourceNotFoundException"}
	}
	delete(f.pools, *in.UserPoolId)
	return &cognitoidentityprovider.DeleteUserPoolOutput{}, nil
}

func (f *fake) ListRecoveryPointsByBackupVault(_ context.Context, in *backup.ListRecoveryPointsByBackupVaultInput,
	_ ...func(*backup.Options)) (*backup.ListRecoveryPointsByBackupVaultOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	points, ok := f.vaults[*in.BackupVaultName]
	if !ok {
		return nil, &smithy.GenericAPIError{Code: "AccessDeniedException"}
	}
	out := &backup.ListRecoveryPointsByBackupVaultOutput{}
	for _, p := range points {
		out.RecoveryPoints = append(out.RecoveryPoints, backuptypes.RecoveryPointByBackupVault{RecoveryPointArn: &p})
	}
	return out, nil
}

func (f *fake) DeleteRecoveryPoint(_ context.Context, in *backup.DeleteRecoveryPointInput,
	_ ...func(*backup.Options)) (*backup.DeleteRecoveryPointOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	f.vaults[*in.BackupVaultName] = slices.DeleteFunc(slices.Clone(f.vaults[*in.BackupVaultName]),
		func(p string) bool { return p == *in.RecoveryPointArn })
	return &backup.DeleteRecoveryPointOutput{}, nil
}

func (f *fake) DeleteBackupVault(_ context.Context, in *backup.DeleteBackupVaultInput,
	_ ...func(*backup.Options)) (*backup.DeleteBackupVaultOutput, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	if len(f.vaults[*in.BackupVaultName]) > 0 {
		return nil, &smithy.GenericAPIError{Code: "InvalidRequestException", Message: "the vault is not empty"}
	}
	delete(f.vaults, *in.BackupVaultName)
	return &backup.DeleteBackupVaultOutput{}, nil
}

// role makes a role that functions may have. moto knows by the header which of its services is meant.
func role(t *testing.T) string {
	t.Helper()
	const trust = `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
		"Action": "sts:AssumeRole"}]}`
	name := "role-" + rand.Text()
	form := url.Values{"Action": {"CreateRole"}, "Version": {"2010-05-08"}, "RoleName": {name},
		"AssumeRolePolicyDocument": {trust}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, os.Getenv("SES_ENDPOINT"),
		strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/iam/aws4_request, "+
		"SignedHeaders=host, Signature=none")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("moto answers %s", resp.Status)
	}
	return "arn:aws:iam::123456789012:role/" + name
}

// deploy makes a stack of a stage and a protection, with a package of two versions and a deleted one.
func deploy(t *testing.T, c *Control, stage, protection string) string {
	t.Helper()
	ctx, f, name := t.Context(), c.stacks.(*fake), "try-"+strings.ToLower(rand.Text()[:10])
	id := "arn:aws:cloudformation:us-east-1:123456789012:stack/" + name
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	add := func(logical, kind string, physical *string) {
		f.made[id] = append(f.made[id], types.StackResourceSummary{
			LogicalResourceId: &logical, PhysicalResourceId: physical, ResourceType: &kind,
		})
	}
	may := role(t)
	for _, logical := range []string{"MailerFunction", "CatalogFunction"} {
		out, err := c.functions.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String(name + "-" + logical), Runtime: "provided.al2023",
			Handler: aws.String("bootstrap"),
			Role:    &may, Code: &lambdatypes.FunctionCode{ZipFile: zipped(t)},
		})
		must(err)
		add(logical, "AWS::Lambda::Function", out.FunctionName)
	}
	table, err := c.tables.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("PK"), KeyType: "HASH"}},
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("PK"), AttributeType: "S"}},
		StreamSpecification: &dynamodbtypes.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: dynamodbtypes.StreamViewTypeKeysOnly,
		},
	})
	must(err)
	add("Table", "AWS::DynamoDB::Table", &name)
	source, err := c.functions.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String(name + "-MailerFunction"), EventSourceArn: table.TableDescription.LatestStreamArn,
		StartingPosition: lambdatypes.EventSourcePositionLatest,
	})
	must(err)
	add("MailerFunctionOutbox", "AWS::Lambda::EventSourceMapping", source.UUID)
	_, err = c.schedules.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name: &name, ScheduleExpression: aws.String("rate(1 minute)"), ScheduleExpressionTimezone: aws.String("UTC"),
		FlexibleTimeWindow: &schedulertypes.FlexibleTimeWindow{Mode: "OFF"},
		Target: &schedulertypes.Target{Arn: aws.String("arn:aws:lambda:us-east-1:123456789012:function:f"),
			RoleArn: &may, Input: aws.String("{}"),
			RetryPolicy: &schedulertypes.RetryPolicy{MaximumRetryAttempts: aws.Int32(0)}},
	})
	must(err)
	add("MailerFunctionSweep", "AWS::Scheduler::Schedule", &name)
	key, err := c.keys.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY"})
	must(err)
	add("ProductionKey", "AWS::KMS::Key", key.KeyMetadata.KeyId)
	secret, err := c.secrets.CreateSecret(ctx,
		&secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String("x")})
	must(err)
	add("HashSecret", "AWS::SecretsManager::Secret", secret.ARN)
	f.vaults[name] = []string{"daily", "monthly"}
	add("BackupVault", "AWS::Backup::BackupVault", &name)
	f.pools[name] = true
	add("UserPool", "AWS::Cognito::UserPool", &name)
	_, err = c.buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	must(err)
	add("PackagesBucket", "AWS::S3::Bucket", &name)
	_, err = c.buckets.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"},
	})
	must(err)
	for _, key := range []string{"a.zip", "a.zip", "b.zip"} {
		_, err := c.buckets.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &name, Key: &key, Body: bytes.NewReader([]byte("zip")),
		})
		must(err)
	}
	_, err = c.buckets.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &name, Key: aws.String("b.zip")})
	must(err)
	f.stacks[id] = &types.Stack{
		StackId: &id, StackName: &name, StackStatus: types.StackStatusCreateComplete,
		Parameters: []types.Parameter{
			{ParameterKey: aws.String("Stage"), ParameterValue: &stage},
			{ParameterKey: aws.String("Protection"), ParameterValue: &protection},
			{ParameterKey: aws.String("OriginSecret"), ParameterValue: aws.String("licensing/origin-1")},
		},
		Outputs: []types.Output{{OutputKey: aws.String("SiteRecord"),
			OutputValue: aws.String("licenses.example.com CNAME d1.cloudfront.net")}},
	}
	return name
}

// zipped is the smallest program that Lambda takes.
func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("bootstrap"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, c *Control, name string) Stack {
	t.Helper()
	s, err := c.Read(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPauseStopsAllButTheCatalog(t *testing.T) {
	c, _ := onMoto(t)
	name := deploy(t, c, "test", "off")
	s := read(t, c, name)
	var told []string
	tell := func(did string) { told = append(told, did) }
	stopped := func(logical string) bool {
		for _, f := range s.Of("AWS::Lambda::Function") {
			if f.Logical == logical {
				out, err := c.functions.GetFunctionConcurrency(t.Context(),
					&lambda.GetFunctionConcurrencyInput{FunctionName: &f.Physical})
				if err != nil {
					t.Fatal(err)
				}
				return out.ReservedConcurrentExecutions != nil && *out.ReservedConcurrentExecutions == 0
			}
		}
		t.Fatalf("there is no %s", logical)
		return false
	}
	switchedOff := func() (list []bool) {
		id := s.Of("AWS::Scheduler::Schedule")[0].Physical
		is, err := c.schedules.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: &id})
		if err != nil || aws.ToString(is.Target.Input) != "{}" || *is.Target.RetryPolicy.MaximumRetryAttempts != 0 {
			t.Fatalf("got the schedule %v, %v", is, err)
		}
		uuid := s.Of("AWS::Lambda::EventSourceMapping")[0].Physical
		m, err := c.functions.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: &uuid})
		if err != nil {
			t.Fatal(err)
		}
		return []bool{is.State == "DISABLED", *m.State == "Disabled"}
	}
	if err := c.Stop(t.Context(), s, tell); err != nil {
		t.Fatal(err)
	}
	if off := switchedOff(); !off[0] || !off[1] || !stopped("MailerFunction") || stopped("CatalogFunction") {
		t.Errorf("got schedule and source off: %v, the mailer stopped: %v, the catalog: %v", off,
			stopped("MailerFunction"), stopped("CatalogFunction"))
	}
	if told[0] != "switched off MailerFunctionSweep" || told[len(told)-1] != "stopped MailerFunction" {
		t.Errorf("got the steps %v, want what starts the mailer first", told)
	}
	if err := c.Start(t.Context(), s, tell); err != nil {
		t.Fatal(err)
	}
	if off := switchedOff(); off[0] || off[1] || stopped("MailerFunction") {
		t.Errorf("got schedule and source off: %v, the mailer stopped: %v", off, stopped("MailerFunction"))
	}
}

func TestTeardownRefusesWhatIsNotForTrying(t *testing.T) {
	c, client := onMoto(t)
	for _, with := range [][2]string{{"production", "off"}, {"test", "on"}, {"", "off"}} {
		s := read(t, c, deploy(t, c, with[0], with[1]))
		before := client.calls
		if err := c.TakeDown(t.Context(), s, func(string) {}); err == nil {
			t.Errorf("a stack of the stage %q with Protection=%s is taken down", with[0], with[1])
		}
		if client.calls != before {
			t.Errorf("stage %q: AWS was called %d times", with[0], client.calls-before)
		}
	}
}

// TestTeardownIsCutOffAtEachCall cuts a teardown off at each call, and runs it again.
func TestTeardownIsCutOffAtEachCall(t *testing.T) {
	c, client := onMoto(t)
	for n := 0; ; n++ {
		name := deploy(t, c, "test", "off")
		s := read(t, c, name)
		client.left = n
		err := c.TakeDown(t.Context(), s, func(string) {})
		client.left = 1 << 30
		if err != nil {
			if !errors.Is(err, errCut) {
				t.Fatalf("cut off after %d calls: %v", n, err)
			}
			s = read(t, c, name) // the stack may be gone by now
			if err := c.TakeDown(t.Context(), s, func(string) {}); err != nil {
				t.Fatalf("run again after %d calls: %v", n, err)
			}
		}
		gone(t, c, read(t, c, name))
		if err == nil {
			t.Logf("cut off at each of %d calls", n)
			return
		}
	}
}

// gone fails unless nothing is left of a stack but what cannot be deleted at once.
func gone(t *testing.T, c *Control, s Stack) {
	t.Helper()
	if f := c.stacks.(*fake); !s.Deleted() || len(f.pools) > 0 || len(f.vaults) > 0 {
		t.Errorf("the stack is %s; left are pools %v, vaults %v", s.Status, f.pools, f.vaults)
	}
	for _, r := range s.Of("AWS::S3::Bucket") {
		if _, err := c.buckets.HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &r.Physical}); err == nil {
			t.Errorf("the bucket %s is still there", r.Physical)
		}
	}
	for _, r := range s.Of("AWS::KMS::Key") {
		out, err := c.keys.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &r.Physical})
		if err != nil || out.KeyMetadata.KeyState != "PendingDeletion" {
			t.Errorf("the key is %v, %v", out, err)
		}
	}
	remains, err := c.Remains(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(remains, "\n")
	for _, want := range []string{"the key ProductionKey", "the secret HashSecret", "licensing/origin-1",
		"licenses.example.com CNAME", "aws-sam-cli-managed-default"} {
		if !strings.Contains(all, want) {
			t.Errorf("what remains does not name %s:\n%s", want, all)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
