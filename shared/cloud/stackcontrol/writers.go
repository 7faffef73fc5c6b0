package stackcontrol

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// stillServes is the one function that a stopped stack keeps running: it does not know the table.
const stillServes = "CatalogFunction"

// Stop stops everything of a stack that reads or writes the table, and tells each step: first what starts the jobs, so
// that nothing waits for them as failed, then the functions. What runs goes on until it is done, at most 15 minutes.
func (c *Control) Stop(ctx context.Context, s Stack, tell func(string)) error {
	if err := c.switchJobs(ctx, s, false, tell); err != nil {
		return err
	}
	for _, f := range s.Of("AWS::Lambda::Function") {
		if f.Logical == stillServes {
			continue
		}
		_, err := c.functions.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
			FunctionName: &f.Physical, ReservedConcurrentExecutions: aws.Int32(0),
		})
		if err != nil {
			return fmt.Errorf("stackcontrol: stop %s: %w", f.Logical, err)
		}
		tell("stopped " + f.Logical)
	}
	return nil
}

// Start undoes Stop, in the opposite order.
func (c *Control) Start(ctx context.Context, s Stack, tell func(string)) error {
	for _, f := range s.Of("AWS::Lambda::Function") {
		if f.Logical == stillServes {
			continue
		}
		_, err := c.functions.DeleteFunctionConcurrency(ctx,
			&lambda.DeleteFunctionConcurrencyInput{FunctionName: &f.Physical})
		if err != nil {
			return fmt.Errorf("stackcontrol: start %s: %w", f.Logical, err)
		}
		tell("started " + f.Logical)
	}
	return c.switchJobs(ctx, s, true, tell)
}

// switchJobs switches the schedules, streams and queues of the jobs on or off.
func (c *Control) switchJobs(ctx context.Context, s Stack, on bool, tell func(string)) error {
	state, did := types.ScheduleStateDisabled, "switched off "
	if on {
		state, did = types.ScheduleStateEnabled, "switched on "
	}
	for _, r := range s.Of("AWS::Scheduler::Schedule") {
		is, err := c.schedules.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &r.Physical})
		if err == nil {
			// An update replaces all of a schedule.
			_, err = c.schedules.UpdateSchedule(ctx, &scheduler.UpdateScheduleInput{
				Name: &r.Physical, GroupName: is.GroupName, State: state, Target: is.Target,
				ScheduleExpression: is.ScheduleExpression, ScheduleExpressionTimezone: is.ScheduleExpressionTimezone,
				FlexibleTimeWindow: is.FlexibleTimeWindow, Description: is.Description, KmsKeyArn: is.KmsKeyArn,
				StartDate: is.StartDate, EndDate: is.EndDate, ActionAfterCompletion: is.ActionAfterCompletion,
			})
		}
		if err != nil {
			return fmt.Errorf("stackcontrol: schedule %s: %w", r.Logical, err)
		}
		tell(did + r.Logical)
	}
	for _, r := range s.Of("AWS::Lambda::EventSourceMapping") {
		_, err := c.functions.UpdateEventSourceMapping(ctx,
			&lambda.UpdateEventSourceMappingInput{UUID: &r.Physical, Enabled: &on})
		if err != nil {
			return fmt.Errorf("stackcontrol: source %s: %w", r.Logical, err)
		}
		tell(did + r.Logical)
	}
	return nil
}
