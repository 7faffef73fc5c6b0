// Package stackcontrol stops, starts and takes down a deployed stack, for an operator at a terminal. No function links
// it.
package stackcontrol

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// stacks is what a Control calls of CloudFormation.
type stacks interface {
	cloudformation.DescribeStacksAPIClient
	cloudformation.ListStacksAPIClient
	cloudformation.ListStackResourcesAPIClient
	DeleteStack(context.Context, *cloudformation.DeleteStackInput, ...func(*cloudformation.Options)) (
		*cloudformation.DeleteStackOutput, error)
}

// pools is what a Control calls of Cognito.
type pools interface {
	DeleteUserPool(context.Context, *cognitoidentityprovider.DeleteUserPoolInput,
		...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.DeleteUserPoolOutput, error)
}

// vaults is what a Control calls of AWS Backup.
type vaults interface {
	backup.ListRecoveryPointsByBackupVaultAPIClient
	DeleteRecoveryPoint(context.Context, *backup.DeleteRecoveryPointInput, ...func(*backup.Options)) (
		*backup.DeleteRecoveryPointOutput, error)
	DeleteBackupVault(context.Context, *backup.DeleteBackupVaultInput, ...func(*backup.Options)) (
		*backup.DeleteBackupVaultOutput, error)
}

// Control calls AWS for an operator. It is not safe for concurrent use.
type Control struct {
	stacks    stacks
	functions *lambda.Client
	schedules *scheduler.Client
	tables    *dynamodb.Client
	buckets   *s3.Client
	keys      *kms.Client
	secrets   *secretsmanager.Client
	vaults    vaults
	pools     pools

	// Poll is how long to wait before looking again at a stack that is being deleted.
	Poll time.Duration
}

// New returns a Control for an AWS configuration; its BaseEndpoint, if set, replaces AWS's own addresses.
func New(c aws.Config) *Control {
	return &Control{
		stacks: cloudformation.NewFromConfig(c), functions: lambda.NewFromConfig(c),
		schedules: scheduler.NewFromConfig(c), tables: dynamodb.NewFromConfig(c),
		buckets: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = c.BaseEndpoint != nil }),
		keys:    kms.NewFromConfig(c), secrets: secretsmanager.NewFromConfig(c), vaults: backup.NewFromConfig(c),
		pools: cognitoidentityprovider.NewFromConfig(c),
		Poll:  15 * time.Second,
	}
}

// Stack is what CloudFormation knows of a stack.
type Stack struct {
	ID         string
	Status     string
	Parameters map[string]string
	Outputs    map[string]string
	Resources  []Resource
}

// Resource is a resource of a stack.
type Resource struct {
	Logical, Physical, Type string
}

// Of returns the resources of a type.
func (s Stack) Of(kind string) (list []Resource) {
	for _, r := range s.Resources {
		if r.Type == kind && r.Physical != "" {
			list = append(list, r)
		}
	}
	return list
}

// Deleted reports whether the stack is gone, but for what it leaves behind.
func (s Stack) Deleted() bool { return s.Status == string(types.StackStatusDeleteComplete) }

// Read reads a stack, also one that was deleted in the last 90 days.
func (c *Control) Read(ctx context.Context, name string) (s Stack, err error) {
	out, err := c.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if code(err) == "ValidationError" { // there is none of that name now
		var id string
		if id, err = c.deleted(ctx, name); err != nil {
			return s, err
		}
		out, err = c.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
	}
	if err != nil {
		return s, fmt.Errorf("stackcontrol: stack %s: %w", name, err)
	}
	if len(out.Stacks) == 0 {
		return s, fmt.Errorf("stackcontrol: there is no stack %s in this account and region", name)
	}
	found := out.Stacks[0]
	s = Stack{ID: aws.ToString(found.StackId), Status: string(found.StackStatus), Parameters: map[string]string{},
		Outputs: map[string]string{}}
	for _, p := range found.Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	for _, o := range found.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	pages := cloudformation.NewListStackResourcesPaginator(c.stacks,
		&cloudformation.ListStackResourcesInput{StackName: &s.ID})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s, fmt.Errorf("stackcontrol: resources of stack %s: %w", name, err)
		}
		for _, r := range page.StackResourceSummaries {
			s.Resources = append(s.Resources, Resource{aws.ToString(r.LogicalResourceId),
				aws.ToString(r.PhysicalResourceId), aws.ToString(r.ResourceType)})
		}
	}
	slices.SortFunc(s.Resources, func(a, b Resource) int { return strings.Compare(a.Logical, b.Logical) })
	return s, nil
}

// deleted returns the ID of the stack of a name that was deleted last.
func (c *Control) deleted(ctx context.Context, name string) (id string, err error) {
	var last time.Time
	pages := cloudformation.NewListStacksPaginator(c.stacks, &cloudformation.ListStacksInput{
		StackStatusFilter: []types.StackStatus{types.StackStatusDeleteComplete},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("stackcontrol: deleted stacks: %w", err)
		}
		for _, s := range page.StackSummaries {
			if at := aws.ToTime(s.DeletionTime); aws.ToString(s.StackName) == name && (id == "" || at.After(last)) {
				id, last = aws.ToString(s.StackId), at
			}
		}
	}
	if id == "" {
		return "", fmt.Errorf("stackcontrol: there is no stack %s in this account and region", name)
	}
	return id, nil
}

// code returns AWS's code of an error; "" if it is not AWS's.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// unless returns an error, but nil if AWS's code of it is one of those given.
func unless(err error, codes ...string) error {
	if err != nil && slices.Contains(codes, code(err)) {
		return nil
	}
	return err
}
