package stackcontrol

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Disposable says why a stack must not be taken down; nil if it may be.
func (s Stack) Disposable() error {
	switch {
	case s.Parameters["Stage"] == "" || s.Parameters["Stage"] == "production":
		return errors.New("its stage is production, or it has none")
	case s.Parameters["Protection"] != "off":
		return errors.New("it is protected; deploy it with Protection=off first")
	}
	return nil
}

// daysToRegret is for how long keys and secrets that are deleted can be had back: the least that AWS takes.
const daysToRegret = 7

// TakeDown deletes a stack and what it leaves behind, and tells each step. It can be cut off and run again: what is
// gone already is passed over.
func (c *Control) TakeDown(ctx context.Context, s Stack, tell func(string)) error {
	if err := s.Disposable(); err != nil {
		return fmt.Errorf("stackcontrol: the stack is not taken down: %w", err)
	}
	if err := c.deleteStack(ctx, s, tell); err != nil {
		return err
	}
	for _, kind := range left {
		for _, r := range s.Of(kind.name) {
			if err := kind.remove(c, ctx, r.Physical); err != nil {
				return fmt.Errorf("stackcontrol: %s %s: %w", r.Logical, r.Physical, err)
			}
			tell(kind.done + " " + r.Logical + " (" + r.Physical + ")")
		}
	}
	return nil
}

// left is what the template has CloudFormation leave behind, in the order in which it goes.
var left = []struct {
	name, done string
	remove     func(*Control, context.Context, string) error
}{
	{"AWS::S3::Bucket", "emptied and deleted", (*Control).removeBucket},
	{"AWS::DynamoDB::Table", "deleted", (*Control).removeTable},
	{"AWS::Cognito::UserPool", "deleted", (*Control).removePool},
	{"AWS::Backup::BackupVault", "emptied and deleted", (*Control).removeVault},
	{"AWS::KMS::Key", "scheduled for deletion", (*Control).removeKey},
	{"AWS::SecretsManager::Secret", "scheduled for deletion", (*Control).removeSecret},
}

// deleteStack deletes a stack and waits until it is gone.
func (c *Control) deleteStack(ctx context.Context, s Stack, tell func(string)) error {
	if s.Deleted() {
		return nil
	}
	if _, err := c.stacks.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.ID}); err != nil {
		return fmt.Errorf("stackcontrol: delete stack: %w", err)
	}
	for {
		out, err := c.stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.ID})
		if err != nil {
			return fmt.Errorf("stackcontrol: delete stack: %w", err)
		}
		switch status := out.Stacks[0].StackStatus; status {
		case types.StackStatusDeleteComplete:
			tell("deleted the stack")
			return nil
		case types.StackStatusDeleteInProgress:
		default:
			return fmt.Errorf("stackcontrol: the stack is not deleted but %s: %s", status,
				aws.ToString(out.Stacks[0].StackStatusReason))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.Poll):
		}
	}
}

// removeBucket deletes all versions of all objects, and the bucket.
func (c *Control) removeBucket(ctx context.Context, name string) error {
	pages := s3.NewListObjectVersionsPaginator(c.buckets, &s3.ListObjectVersionsInput{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if code(err) == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return err
		}
		var list []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			list = append(list, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, v := range page.DeleteMarkers {
			list = append(list, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		if len(list) == 0 {
			continue
		}
		out, err := c.buckets.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &name, Delete: &s3types.Delete{Objects: list, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("object %s: %s", aws.ToString(out.Errors[0].Key), aws.ToString(out.Errors[0].Message))
		}
	}
	_, err := c.buckets.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return unless(err, "NoSuchBucket")
}

func (c *Control) removeTable(ctx context.Context, name string) error {
	_, err := c.tables.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	return unless(err, "ResourceNotFoundException")
}

func (c *Control) removePool(ctx context.Context, id string) error {
	_, err := c.pools.DeleteUserPool(ctx, &cognitoidentityprovider.DeleteUserPoolInput{UserPoolId: &id})
	return unless(err, "ResourceNotFoundException")
}

func (c *Control) removeVault(ctx context.Context, name string) error {
	pages := backup.NewListRecoveryPointsByBackupVaultPaginator(c.vaults,
		&backup.ListRecoveryPointsByBackupVaultInput{BackupVaultName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			// AWS says AccessDenied of a vault that does not exist.
			return unless(err, "ResourceNotFoundException", "AccessDeniedException")
		}
		for _, p := range page.RecoveryPoints {
			_, err := c.vaults.DeleteRecoveryPoint(ctx,
				&backup.DeleteRecoveryPointInput{BackupVaultName: &name, RecoveryPointArn: p.RecoveryPointArn})
			if err := unless(err, "ResourceNotFoundException"); err != nil {
				return err
			}
		}
	}
	_, err := c.vaults.DeleteBackupVault(ctx, &backup.DeleteBackupVaultInput{BackupVaultName: &name})
	return unless(err, "ResourceNotFoundException")
}

func (c *Control) removeKey(ctx context.Context, id string) error {
	_, err := c.keys.ScheduleKeyDeletion(ctx,
		&kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: aws.Int32(daysToRegret)})
	return unless(err, "KMSInvalidStateException", "NotFoundException")
}

func (c *Control) removeSecret(ctx context.Context, id string) error {
	is, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil || is.DeletedDate != nil {
		return unless(err, "ResourceNotFoundException")
	}
	_, err = c.secrets.DeleteSecret(ctx,
		&secretsmanager.DeleteSecretInput{SecretId: &id, RecoveryWindowInDays: aws.Int64(daysToRegret)})
	return unless(err, "ResourceNotFoundException")
}

// Remains lists what is left of a stack that was taken down, a sentence each: what goes by itself, and what only people
// can remove.
func (c *Control) Remains(ctx context.Context, s Stack) (list []string, err error) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, r := range s.Of("AWS::KMS::Key") {
		out, err := c.keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &r.Physical})
		switch {
		case code(err) == "NotFoundException":
		case err != nil:
			return nil, fmt.Errorf("stackcontrol: key %s: %w", r.Physical, err)
		case out.KeyMetadata.DeletionDate == nil:
			add("the key %s (%s), which is not scheduled for deletion", r.Logical, r.Physical)
		default:
			add("the key %s (%s) until %s", r.Logical, r.Physical, out.KeyMetadata.DeletionDate.Format("2 Jan 2006"))
		}
	}
	for _, r := range s.Of("AWS::SecretsManager::Secret") {
		out, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &r.Physical})
		switch {
		case code(err) == "ResourceNotFoundException":
		case err != nil:
			return nil, fmt.Errorf("stackcontrol: secret %s: %w", r.Logical, err)
		default:
			add("the secret %s (%s) for %d days", r.Logical, aws.ToString(out.Name), daysToRegret)
		}
	}
	for _, r := range s.Of("AWS::DynamoDB::Table") {
		out, err := c.tables.ListBackups(ctx, &dynamodb.ListBackupsInput{
			TableName: &r.Physical, BackupType: dynamodbtypes.BackupTypeFilterAll,
		})
		if err := unless(err, "ResourceNotFoundException", "TableNotFoundException"); err != nil {
			return nil, fmt.Errorf("stackcontrol: backups of %s: %w", r.Physical, err)
		}
		if out == nil {
			continue
		}
		for _, b := range out.BackupSummaries {
			until := "until you delete it"
			if b.BackupExpiryDateTime != nil {
				until = "until " + b.BackupExpiryDateTime.Format("2 Jan 2006")
			}
			add("the backup %s of the table, %s", aws.ToString(b.BackupName), until)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		if strings.Contains(name, "Record") {
			add("in your DNS: %s", s.Outputs[name])
		}
	}
	if name := s.Parameters["OriginSecret"]; name != "" {
		add("the secret %s, which you made", name)
	}
	if s.Parameters["MakeMailIdentity"] == "off" {
		add("the identity %s in SES, which you made", s.Parameters["MailIdentity"])
	}
	if s.Parameters["CertificateArn"] != "" {
		add("the stack of infra/edge.yaml in us-east-1, with the certificate %s", s.Parameters["CertificateArn"])
	}
	add("what sam deploy uploaded, in the bucket of the stack aws-sam-cli-managed-default")
	return list, nil
}
