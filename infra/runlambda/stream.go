package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// stream reads the stream of a table in a DynamoDB engine, from the moment that it is opened.
type stream struct {
	endpoint, arn string
	shards        map[string]*shard
}

type shard struct {
	iterator string // "": ask for one
	last     string // the sequence number of the last record that was read
	newest   bool   // begin after what is there, not before
	closed   bool
}

// openStream begins after what the table has.
func openStream(ctx context.Context, endpoint, arn string) (*stream, error) {
	s := &stream{endpoint: endpoint, arn: arn, shards: map[string]*shard{}}
	if err := s.describe(ctx, true); err != nil {
		return nil, err
	}
	for id := range s.shards {
		if err := s.ask(ctx, id); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stream) call(ctx context.Context, operation string, in, out any) error {
	return call(ctx, s.endpoint, "dynamodb", "DynamoDBStreams_20120810."+operation, in, out)
}

// describe finds shards that are not known yet.
func (s *stream) describe(ctx context.Context, newest bool) error {
	var out struct {
		StreamDescription struct {
			Shards []struct {
				ShardID string `json:"ShardId"`
			}
		}
	}
	if err := s.call(ctx, "DescribeStream", map[string]any{"StreamArn": s.arn}, &out); err != nil {
		return err
	}
	for _, found := range out.StreamDescription.Shards {
		if s.shards[found.ShardID] == nil {
			s.shards[found.ShardID] = &shard{newest: newest}
		}
	}
	return nil
}

// ask gets an iterator: after the last record that was read, or where the shard begins for us.
func (s *stream) ask(ctx context.Context, id string) error {
	at := s.shards[id]
	in := map[string]any{"StreamArn": s.arn, "ShardId": id, "ShardIteratorType": "TRIM_HORIZON"}
	switch {
	case at.last != "":
		in["ShardIteratorType"], in["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", at.last
	case at.newest:
		in["ShardIteratorType"] = "LATEST"
	}
	var out struct{ ShardIterator string }
	err := s.call(ctx, "GetShardIterator", in, &out)
	at.iterator = out.ShardIterator
	return err
}

// record is a change of an item, as an event of Lambda has it.
type record map[string]any

// read returns the changes since it was called last.
func (s *stream) read(ctx context.Context) (records []record, err error) {
	for id, at := range s.shards {
		for !at.closed {
			if at.iterator == "" {
				if err := s.ask(ctx, id); err != nil {
					return records, err
				}
			}
			var out struct {
				Records           []record
				NextShardIterator string
			}
			if err := s.call(ctx, "GetRecords", map[string]any{"ShardIterator": at.iterator}, &out); err != nil {
				at.iterator = "" // it may have expired
				return records, err
			}
			at.iterator, at.closed = out.NextShardIterator, out.NextShardIterator == ""
			if len(out.Records) == 0 {
				break
			}
			records = append(records, out.Records...)
			change, _ := out.Records[len(out.Records)-1]["dynamodb"].(map[string]any)
			at.last, _ = change["SequenceNumber"].(string)
		}
	}
	for _, at := range s.shards {
		if at.closed {
			return records, s.describe(ctx, false) // its children
		}
	}
	return records, nil
}

// batches are the records that a source's filters take, at most its batch size each.
func (s streamSource) batches(records []record) [][]record {
	var wanted []record
	for _, r := range records {
		takes := func(p pattern) bool { return p.matches(map[string]any(r)) }
		if len(s.filters) == 0 || slices.ContainsFunc(s.filters, takes) {
			wanted = append(wanted, r)
		}
	}
	return slices.Collect(slices.Chunk(wanted, s.size))
}

// hand gives a batch to the source's function. A batch that fails is halved if the source says so, and tried again
// as often as it says; what fails for good goes to the queue for that.
func (s *Server) hand(ctx context.Context, source streamSource, batch []record, attempt int) error {
	event, err := json.Marshal(map[string]any{"Records": batch})
	if err != nil {
		return err
	}
	_, err = s.invoke(ctx, source.function, event)
	switch {
	case err == nil:
		return nil
	case source.bisect && len(batch) > 1:
		half := len(batch) / 2
		if err := s.hand(ctx, source, batch[:half], attempt); err != nil {
			return err
		}
		return s.hand(ctx, source, batch[half:], attempt)
	case attempt < source.retries:
		return s.hand(ctx, source, batch, attempt+1)
	}
	s.giveUp(source.failed, source.function, event, err)
	return fmt.Errorf("%s: %w", source.function, err)
}
