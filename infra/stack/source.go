package stack

import (
	"encoding/json"
	"strings"
)

// checkSources: what wakes the functions that nobody calls: the table's stream, queues, and how often a run that failed
// is tried again. What failed for good is in FailedRuns.
func checkSources(c *checker) {
	var rows, retried []string
	functions := c.Template.Functions()
	for _, id := range c.Template.Resources(functionType) {
		f := functions[id]
		for _, name := range Keys(f["Events"]) {
			where, event := id+"."+name, At(f["Events"], name)
			c.only(where, event, "Type", "Properties")
			p := At(event, "Properties")
			switch kind := Str(At(event, "Type")); kind {
			case "HttpApi": // it has rules of its own
			case "ScheduleV2":
				retried = append(retried, source(id, name, At(p, "RetryPolicy"), "MaximumRetryAttempts",
					"MaximumEventAgeInSeconds"))
			case "DynamoDB":
				c.stream(where, f, p)
				rows = append(rows, source(id, name, p, "BatchSize", "MaximumBatchingWindowInSeconds",
					"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"))
			case "SQS":
				c.polled(where, f, p)
				rows = append(rows, source(id, name, p, "BatchSize", "MaximumBatchingWindowInSeconds", "-", "-"))
			default:
				c.add(where, "no rule is about events of type %s", kind)
			}
		}
		c.async(id, f)
		if config := f["EventInvokeConfig"]; config != nil {
			retried = append(retried, source(id, "run", config, "MaximumRetryAttempts", "MaximumEventAgeInSeconds"))
		}
	}
	c.rows("Sources", rows)
	c.rows("Retries", retried)
}

func source(id, name string, p any, keys ...string) string {
	cells := []string{"`" + id + "`", "`" + name + "`"}
	for _, key := range keys {
		if text := Text(At(p, key)); text != "missing" {
			cells = append(cells, text)
		} else {
			cells = append(cells, "–")
		}
	}
	return strings.Join(cells, " | ")
}

const keepsFailures = "{OnFailure: {Destination: !GetAtt FailedRuns.Arn, Type: SQS}}"

func (c *checker) stream(where string, f map[string]any, p any) {
	c.only(where, p, "Stream", "StartingPosition", "BatchSize", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds",
		"BisectBatchOnFunctionError", "DestinationConfig", "FilterCriteria", "MaximumBatchingWindowInSeconds",
		"Enabled", "ParallelizationFactor")
	c.is(where, p, "Stream", "!GetAtt Table.StreamArn")
	c.is(where, p, "StartingPosition", "LATEST")
	c.is(where, p, "Enabled", "missing", "true")
	c.is(where, p, "ParallelizationFactor", "missing", "1") // one mailer at a time sends
	c.is(where, p, "BisectBatchOnFunctionError", "true")
	c.is(where, p, "DestinationConfig", keepsFailures)
	c.only(where+".FilterCriteria", At(p, "FilterCriteria"), "Filters")
	for _, filter := range List(At(p, "FilterCriteria", "Filters")) {
		var pattern any
		err := json.Unmarshal([]byte(Str(At(filter, "Pattern"))), &pattern)
		// Names are case-sensitive, and a name that no record has matches nothing.
		names := Keys(pattern)
		for _, key := range [][]string{{"dynamodb"}, {"dynamodb", "Keys"}, {"dynamodb", "Keys", "PK"}} {
			names = append(names, Keys(At(pattern, key...))...)
		}
		c.want(err == nil && strings.Join(names, " ") == "dynamodb eventName Keys PK S", where,
			"its filter is about %v, want the partitions of new rows", names)
	}
	window := number(At(p, "MaximumBatchingWindowInSeconds"))
	c.want(window <= 1, where, "a key waits %d s for others", window)
	age := number(At(p, "MaximumRecordAgeInSeconds"))
	c.want(age >= number(f["Timeout"]), where, "a record is dropped after %d s, while a run takes up to %s s", age,
		Text(f["Timeout"]))
	retries := At(p, "MaximumRetryAttempts")
	c.want(retries != nil && number(retries) >= 0 && number(retries) <= 10, where, "it tries a batch %s times again",
		Text(retries))
}

func (c *checker) polled(where string, f map[string]any, p any) {
	c.only(where, p, "Queue", "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig",
		"Enabled")
	c.is(where, p, "Enabled", "missing", "true")
	c.is(where, p, "FunctionResponseTypes", "[ReportBatchItemFailures]")
	c.is(where, p, "ScalingConfig", "{MaximumConcurrency: 2}")
	size, window := number(At(p, "BatchSize")), number(At(p, "MaximumBatchingWindowInSeconds"))
	c.want(size <= 10 || window >= 1, where, "a batch of more than 10 needs a window")
	c.want(window < number(f["Timeout"]), where, "it waits %d s, longer than the function runs", window)
}

// async is what becomes of runs that a schedule starts.
func (c *checker) async(id string, f map[string]any) {
	config := f["EventInvokeConfig"]
	if len(events(f, "ScheduleV2")) == 0 {
		c.want(config == nil, id, "nothing starts it asynchronously, so its EventInvokeConfig does nothing")
		return
	}
	c.only(id+".EventInvokeConfig", config, "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
	c.is(id, config, "DestinationConfig", keepsFailures)
	retries, age := At(config, "MaximumRetryAttempts"), number(At(config, "MaximumEventAgeInSeconds"))
	c.want(retries != nil && number(retries) <= 2, id, "it tries a run %s times again", Text(retries))
	c.want(age >= 60 && age <= 21600, id, "MaximumEventAgeInSeconds is %d, want 60 to 21600", age)
	c.want(number(retries) == 0 || age >= number(f["Timeout"]), id,
		"a run takes up to %s s, and is not tried again after %d s", Text(f["Timeout"]), age)
}
