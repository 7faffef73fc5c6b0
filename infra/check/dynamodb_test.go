package check

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"marketplace/shared/table/dynamo"
)

// dynamoDB answers the DynamoDB API from memory and records which permissions its calls need. It knows the expressions
// that table/dynamo writes; anything else is an error, once its permission is recorded.
type dynamoDB struct {
	mu      sync.Mutex
	items   []item // in the order of their keys
	touched touched
	created []item // everything that was put or updated
}

// touched are the partitions that calls touched, by the permission that they needed.
type touched map[string]map[string]bool

func (t touched) add(action, pk string) {
	if t[action] == nil {
		t[action] = map[string]bool{}
	}
	t[action][pk] = true
}

// item is an item in DynamoDB's JSON: its attributes, each an object of one member that names its type.
type item map[string]any

func (i item) text(attribute string) string { return str(at(i[attribute], "S")) }

func (i item) key() string { return i.text("PK") + "\x00" + i.text("SK") }

// newDynamoDB starts a DynamoDB and returns it with a table of it.
func newDynamoDB(t *testing.T) (*dynamoDB, *dynamo.Table) {
	t.Helper()
	d := &dynamoDB{touched: touched{}}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &server.URL, Region: "us-east-1", HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
	return d, dynamo.New(client, "t")
}

// apiError is an answer of the API that reports an error.
type apiError struct {
	Type    string `json:"__type"`
	Message string
	// Reasons has the error of each part of a transaction.
	Reasons []map[string]string `json:"CancellationReasons,omitempty"`
}

func (d *dynamoDB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	var input item
	if err == nil {
		err = json.Unmarshal(body, &input)
	}
	var answer any
	failed := &apiError{Type: "SerializationException", Message: fmt.Sprint(err)}
	if err == nil {
		answer, failed = d.do(operation, input)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if failed != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = failed
	}
	json.NewEncoder(w).Encode(answer)
}

func (d *dynamoDB) do(operation string, input item) (answer any, failed *apiError) {
	switch operation {
	case "GetItem":
		d.touched.add("dynamodb:GetItem", item(input["Key"].(map[string]any)).text("PK"))
		if i, ok := d.find(input["Key"]); ok {
			return item{"Item": d.items[i]}, nil
		}
		return item{}, nil
	case "Query":
		d.touched.add("dynamodb:Query", str(at(input["ExpressionAttributeValues"], ":pk", "S")))
		return d.query(input)
	case "TransactWriteItems":
		return d.transact(list(input["TransactItems"]))
	}
	// Another one needs the permission of its name.
	d.touched.add("dynamodb:"+operation, "")
	return nil, unknown("operation " + operation)
}

func unknown(what string) *apiError {
	return &apiError{Type: "ValidationException", Message: "infra/check's DynamoDB does not know the " + what}
}

// find looks for the place of a key.
func (d *dynamoDB) find(key any) (place int, found bool) {
	k := item(key.(map[string]any)).key()
	return slices.BinarySearchFunc(d.items, k, func(i item, k string) int { return strings.Compare(i.key(), k) })
}

func (d *dynamoDB) query(input item) (answer any, failed *apiError) {
	values := input["ExpressionAttributeValues"]
	value := func(name string) string { return str(at(values, name, "S")) }
	var within func(sk string) bool
	switch condition := str(input["KeyConditionExpression"]); condition {
	case "PK = :pk":
		within = func(string) bool { return true }
	case "PK = :pk AND SK BETWEEN :from AND :to":
		within = func(sk string) bool { return sk >= value(":from") && sk <= value(":to") }
	case "PK = :pk AND SK >= :from":
		within = func(sk string) bool { return sk >= value(":from") }
	case "PK = :pk AND SK < :to":
		within = func(sk string) bool { return sk < value(":to") }
	default:
		return nil, unknown("key condition " + condition)
	}
	items := slices.Clone(d.items)
	ascending := input["ScanIndexForward"] != false
	if !ascending {
		slices.Reverse(items)
	}
	after := str(at(input["ExclusiveStartKey"], "SK", "S"))
	var found []item
	for _, i := range items {
		sk := i.text("SK")
		beyond := after == "" || ascending && sk > after || !ascending && sk < after
		if i.text("PK") != value(":pk") || !beyond || !within(sk) {
			continue
		}
		if found = append(found, i); float64(len(found)) == input["Limit"] {
			return item{"Items": found, "LastEvaluatedKey": item{"PK": i["PK"], "SK": i["SK"]}}, nil
		}
	}
	return item{"Items": found}, nil
}

// transact needs the permissions of its parts (DynamoDB developer guide, "Using IAM with DynamoDB transactions").
func (d *dynamoDB) transact(parts []any) (answer any, failed *apiError) {
	cancelled := false
	var reasons []map[string]string
	for _, part := range parts {
		kind, w := onlyMember(part)
		action := kind + "Item"
		if kind == "ConditionCheck" {
			action = "ConditionCheckItem"
		}
		d.touched.add("dynamodb:"+action, item(keyOf(w).(map[string]any)).text("PK"))
		holds, failed := d.holds(w)
		if failed != nil {
			return nil, failed
		}
		reasons = append(reasons, map[string]string{"Code": "None"})
		if !holds {
			cancelled = true
			reasons[len(reasons)-1]["Code"] = "ConditionalCheckFailed"
		}
	}
	if cancelled {
		return nil, &apiError{Type: "TransactionCanceledException", Reasons: reasons}
	}
	for _, part := range parts {
		if failed := d.write(onlyMember(part)); failed != nil {
			return nil, failed
		}
	}
	return item{}, nil
}

// onlyMember is the member of an object that has one.
func onlyMember(object any) (name string, value item) {
	for name, v := range object.(map[string]any) {
		return name, v.(map[string]any)
	}
	return "", nil
}

// keyOf is the key of the item that a part of a transaction is about: of a Put, the item has it.
func keyOf(part item) any {
	if key := part["Key"]; key != nil {
		return key
	}
	return part["Item"]
}

func (d *dynamoDB) holds(part item) (bool, *apiError) {
	i, exists := d.find(keyOf(part))
	switch condition := str(part["ConditionExpression"]); condition {
	case "":
		return true, nil
	case "attribute_not_exists(PK)":
		return !exists, nil
	case "#version = :expected":
		want := at(part["ExpressionAttributeValues"], ":expected", "N")
		return exists && at(d.items[i]["version"], "N") == want, nil
	default:
		return false, unknown("condition " + condition)
	}
}

func (d *dynamoDB) write(kind string, part item) *apiError {
	i, exists := d.find(keyOf(part))
	switch kind {
	case "ConditionCheck":
	case "Delete":
		if exists {
			d.items = slices.Delete(d.items, i, i+1)
		}
	case "Put", "Update":
		written := item(maps.Clone(keyOf(part).(map[string]any)))
		if kind == "Update" {
			if exists {
				written = maps.Clone(d.items[i])
			}
			if failed := update(written, part); failed != nil {
				return failed
			}
		}
		if exists {
			d.items[i] = written
		} else {
			d.items = slices.Insert(d.items, i, written)
		}
		d.created = append(d.created, written)
	default:
		return unknown("part of a transaction " + kind)
	}
	return nil
}

// update applies an update expression: SET a = :a, b = :b REMOVE c ADD d :d.
func update(i, part item) *apiError {
	clause := ""
	words := strings.Fields(strings.ReplaceAll(str(part["UpdateExpression"]), ",", " "))
	for len(words) > 0 {
		if slices.Contains([]string{"SET", "REMOVE", "ADD"}, words[0]) {
			clause, words = words[0], words[1:]
			continue
		}
		name := str(at(part["ExpressionAttributeNames"], words[0]))
		value := func(word int) any { return at(part["ExpressionAttributeValues"], words[word]) }
		switch {
		case clause == "REMOVE":
			delete(i, name)
			words = words[1:]
		case clause == "SET" && len(words) > 2 && words[1] == "=":
			i[name] = value(2)
			words = words[3:]
		case clause == "ADD" && len(words) > 1:
			was, _ := strconv.Atoi(str(at(i[name], "N")))
			more, _ := strconv.Atoi(str(at(value(1), "N")))
			i[name] = map[string]any{"N": strconv.Itoa(was + more)}
			words = words[2:]
		default:
			return unknown("update expression " + str(part["UpdateExpression"]))
		}
	}
	return nil
}
