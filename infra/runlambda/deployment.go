package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"marketplace/infra/stack"
)

// deployment is what the template says, resolved: which functions there are and what starts them.
type deployment struct {
	functions map[string]function // by logical ID
	routes    []route
	schedules []*schedule
	streams   []streamSource
	polls     []queueSource
	queues    map[string]*queue // by ARN
	topics    map[string]*topic // by ARN
}

// function is a Lambda function.
type function struct {
	env     []string // KEY=value
	timeout time.Duration
	memory  string
	retries int    // of a run that a schedule started
	failed  *queue // gets a run that failed for good; nil: nothing does
}

type schedule struct {
	function, name string
	expression     string
	timetable      timetable
	input          string // "": the event of a schedule
	next           time.Time
}

// streamSource hands the changes of a table to a function.
type streamSource struct {
	function, table string // logical IDs
	size, retries   int
	bisect          bool
	filters         []pattern // any of them; none: everything
	failed          *queue
}

// queueSource hands the messages of a queue to a function.
type queueSource struct {
	function string
	queue    *queue
	size     int
	window   time.Duration
	partial  bool // the function answers which messages failed
}

// reader reads the template; the first error stays.
type reader struct {
	values
	deployment
	now    time.Time
	err    error
	byName map[string]string // the stream's ARN → the table's logical ID
}

// read returns what the template says. What it says and nothing here does is an error.
func read(v values, now time.Time) (deployment, error) {
	r := &reader{values: v, now: now, byName: map[string]string{}, deployment: deployment{
		functions: map[string]function{}, queues: map[string]*queue{}, topics: map[string]*topic{},
	}}
	r.readQueues()
	r.readTopics()
	for _, id := range v.template.Resources("AWS::DynamoDB::Table") {
		if arn, err := v.resource(id, "StreamArn"); err == nil {
			r.byName[arn] = id
		}
	}
	functions := v.template.Functions()
	for _, id := range v.template.Resources("AWS::Serverless::Function") {
		r.readFunction(id, functions[id])
	}
	r.readLimits()
	return r.deployment, r.err
}

func (r *reader) fail(where, text string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(where+": "+text, args...)
	}
}

// only fails if an object has a member that nothing here does.
func (r *reader) only(where string, object any, known ...string) {
	for _, key := range stack.Keys(object) {
		if !slices.Contains(known, key) {
			r.fail(where, "nothing here does what %s says", key)
		}
	}
}

// is fails unless a member has one of these texts; "missing" is none.
func (r *reader) is(where string, object any, key string, want ...string) {
	if got := stack.Text(stack.At(object, key)); !slices.Contains(want, got) {
		r.fail(where, "%s is %s; only %s is known here", key, got, strings.Join(want, " or "))
	}
}

func (r *reader) resolve(where string, node any) string {
	text, err := r.text(node)
	if err != nil {
		r.fail(where, "%v", err)
	}
	return text
}

// number reads a member that is a number; without one it is the default.
func (r *reader) number(where string, object any, key string, without int) int {
	node := stack.At(object, key)
	if node == nil {
		return without
	}
	n, err := strconv.Atoi(r.resolve(where, node))
	if err != nil {
		r.fail(where, "%s: %v", key, err)
	}
	return n
}

func (r *reader) seconds(where string, object any, key string, without int) time.Duration {
	return time.Duration(r.number(where, object, key, without)) * time.Second
}

// queueAt finds the queue of an ARN; nil if the node is missing.
func (r *reader) queueAt(where string, node any) *queue {
	if node == nil {
		return nil
	}
	q := r.queues[r.resolve(where, node)]
	if q == nil {
		r.fail(where, "%s is no queue of the template", stack.Text(node))
	}
	return q
}

func (r *reader) readQueues() {
	ids := r.template.Resources("AWS::SQS::Queue")
	made := map[string]*queue{}
	for _, id := range ids {
		arn, err := r.resource(id, "Arn")
		if err != nil {
			r.fail(id, "%v", err)
		}
		p := r.template.Properties(id)
		r.only(id, p, "DelaySeconds", "VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled",
			"RedrivePolicy")
		made[id] = &queue{arn: arn, delay: r.seconds(id, p, "DelaySeconds", 0),
			visibility: r.seconds(id, p, "VisibilityTimeout", 30)}
		r.queues[arn] = made[id]
	}
	for _, id := range ids {
		policy := stack.At(r.template.Properties(id), "RedrivePolicy")
		made[id].redrive = r.queueAt(id, stack.At(policy, "deadLetterTargetArn"))
		made[id].receives = r.number(id, policy, "maxReceiveCount", 0)
	}
}

func (r *reader) readFunction(id string, f map[string]any) {
	r.is(id, f, "Runtime", "provided.al2023")
	r.is(id, f, "Handler", "bootstrap")
	async := f["EventInvokeConfig"]
	made := function{
		timeout: r.seconds(id, f, "Timeout", 3), memory: stack.Str(f["MemorySize"]),
		retries: r.number(id, async, "MaximumRetryAttempts", 2),
		failed:  r.queueAt(id, stack.At(async, "DestinationConfig", "OnFailure", "Destination")),
	}
	variables := stack.At(f["Environment"], "Variables")
	for _, name := range stack.Keys(variables) {
		made.env = append(made.env, name+"="+r.resolve(id+"."+name, stack.At(variables, name)))
	}
	r.functions[id] = made
	for _, name := range stack.Keys(f["Events"]) {
		where, event := id+"."+name, stack.At(f["Events"], name)
		p := stack.At(event, "Properties")
		switch kind := stack.Str(stack.At(event, "Type")); kind {
		case "HttpApi":
			r.readRoute(where, id, p)
		case "ScheduleV2":
			r.readSchedule(where, id, name, p)
		case "DynamoDB":
			r.readStream(where, id, p)
		case "SQS":
			r.readPoll(where, id, p)
		default:
			r.fail(where, "nothing here starts a function by an event of type %s", kind)
		}
	}
}

func (r *reader) readRoute(where, id string, p any) {
	r.only(where, p, "ApiId", "Method", "Path", "PayloadFormatVersion", "TimeoutInMillis")
	r.is(where, p, "ApiId", "!Ref Api")
	r.is(where, p, "PayloadFormatVersion", "missing", "2.0")
	made := route{key: "$default", function: id}
	if path := stack.At(p, "Path"); path != nil {
		made.method, made.path = strings.ToUpper(r.resolve(where, stack.At(p, "Method"))), r.resolve(where, path)
		made.key = made.method + " " + made.path
	}
	r.routes = append(r.routes, made)
}

// readLimits gives each route its throttle; a throttle of a route that does not exist is an error, as on AWS.
func (r *reader) readLimits() {
	p := r.template.Properties("Api")
	settings := stack.At(p, "RouteSettings")
	known := map[string]bool{}
	for i := range r.routes {
		key, own := r.routes[i].key, stack.At(p, "DefaultRouteSettings")
		if s := stack.At(settings, key); s != nil {
			own = s
		}
		known[key] = true
		r.only("Api "+key, own, "ThrottlingRateLimit", "ThrottlingBurstLimit")
		r.routes[i].limit = &limit{
			rate:  float64(r.number("Api "+key, own, "ThrottlingRateLimit", 10000)),
			burst: float64(r.number("Api "+key, own, "ThrottlingBurstLimit", 5000)),
		}
	}
	for _, key := range stack.Keys(settings) {
		if !known[key] {
			r.fail("Api", "RouteSettings has %s, which is no route", key)
		}
	}
}

func (r *reader) readSchedule(where, id, name string, p any) {
	r.only(where, p, "OmitName", "ScheduleExpression", "ScheduleExpressionTimezone", "DeadLetterConfig", "RetryPolicy",
		"State", "Description", "Input", "FlexibleTimeWindow")
	r.is(where, p, "FlexibleTimeWindow", "missing", "{Mode: OFF}")
	r.is(where, p, "State", "missing", "ENABLED", "DISABLED")
	r.queueAt(where, stack.At(p, "DeadLetterConfig", "Arn"))
	made := &schedule{function: id, name: name, expression: r.resolve(where, stack.At(p, "ScheduleExpression"))}
	zone := "UTC"
	if given := stack.At(p, "ScheduleExpressionTimezone"); given != nil {
		zone = r.resolve(where, given)
	}
	if input := stack.At(p, "Input"); input != nil {
		made.input = r.resolve(where, input)
	}
	t, err := newTimetable(made.expression, zone, r.now)
	if err != nil {
		r.fail(where, "%v", err)
	}
	if made.timetable = t; stack.At(p, "State") == "DISABLED" || err != nil {
		return
	}
	made.next = t.next(r.now)
	r.schedules = append(r.schedules, made)
}

func (r *reader) readStream(where, id string, p any) {
	r.only(where, p, "Stream", "StartingPosition", "BatchSize", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds",
		"BisectBatchOnFunctionError", "DestinationConfig", "FilterCriteria", "Enabled")
	r.is(where, p, "StartingPosition", "LATEST")
	r.is(where, p, "Enabled", "missing", "true", "false")
	made := streamSource{
		function: id, table: r.byName[r.resolve(where, stack.At(p, "Stream"))],
		size: r.number(where, p, "BatchSize", 100), retries: r.number(where, p, "MaximumRetryAttempts", 10),
		bisect: stack.At(p, "BisectBatchOnFunctionError") == "true",
		failed: r.queueAt(where, stack.At(p, "DestinationConfig", "OnFailure", "Destination")),
	}
	if made.table == "" {
		r.fail(where, "%s is no stream of the template", stack.Text(stack.At(p, "Stream")))
	}
	r.only(where, stack.At(p, "FilterCriteria"), "Filters")
	for _, filter := range stack.List(stack.At(p, "FilterCriteria", "Filters")) {
		f, err := parsePattern(r.resolve(where, stack.At(filter, "Pattern")))
		if err != nil {
			r.fail(where, "%v", err)
		}
		made.filters = append(made.filters, f)
	}
	if stack.At(p, "Enabled") != "false" {
		r.streams = append(r.streams, made)
	}
}

func (r *reader) readPoll(where, id string, p any) {
	r.only(where, p, "Queue", "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig",
		"Enabled")
	r.is(where, p, "FunctionResponseTypes", "missing", "[ReportBatchItemFailures]")
	r.is(where, p, "Enabled", "missing", "true", "false")
	made := queueSource{
		function: id, queue: r.queueAt(where, stack.At(p, "Queue")), size: r.number(where, p, "BatchSize", 10),
		window:  r.seconds(where, p, "MaximumBatchingWindowInSeconds", 0),
		partial: stack.At(p, "FunctionResponseTypes") != nil,
	}
	if stack.At(p, "Enabled") != "false" {
		r.polls = append(r.polls, made)
	}
}
