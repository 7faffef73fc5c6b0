package dynamo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"marketplace/shared/table"
)

// Names of the attributes beside the keys PK and SK.
const (
	typeName    = "type"
	schemaName  = "schema"
	versionName = "version"
	expiresName = "expires"
	dataName    = "data"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func keyItem(key table.Key) item { return item{"PK": text(key.PK), "SK": text(key.SK)} }

// encodeData makes the attribute data of a JSON object.
func encodeData(data json.RawMessage) (types.AttributeValue, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("decode Data: %w", err)
	}
	return encode(v), nil
}

// encode accepts what encoding/json decodes with UseNumber. Numbers keep all their digits.
func encode(v any) types.AttributeValue {
	switch v := v.(type) {
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case string:
		return text(v)
	case json.Number:
		return &types.AttributeValueMemberN{Value: v.String()}
	case []any:
		list := make([]types.AttributeValue, len(v))
		for i, element := range v {
			list[i] = encode(element)
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		members := make(item, len(v))
		for name, member := range v {
			members[name] = encode(member)
		}
		return &types.AttributeValueMemberM{Value: members}
	}
	return &types.AttributeValueMemberNULL{Value: true}
}

// decode makes a row of an item.
func decode(from item) (row table.Row, err error) {
	if row.Key, err = decodeKey(from); err != nil {
		return table.Row{}, err
	}
	wrap := func(name string, err error) (table.Row, error) {
		return table.Row{}, fmt.Errorf("table/dynamo: %v: attribute %s: %w", row.Key, name, err)
	}
	if row.Type, err = textOf(from, typeName); err != nil {
		return wrap(typeName, err)
	}
	schema, err := numberOf(from, schemaName)
	if err != nil {
		return wrap(schemaName, err)
	}
	row.Schema = int(schema)
	if row.Version, err = numberOf(from, versionName); err != nil {
		return wrap(versionName, err)
	}
	if _, ok := from[expiresName]; ok {
		seconds, err := numberOf(from, expiresName)
		if err != nil {
			return wrap(expiresName, err)
		}
		row.Expires = time.Unix(seconds, 0).UTC()
	}
	if row.Data, err = dataOf(from[dataName]); err != nil {
		return wrap(dataName, err)
	}
	return row, nil
}

func decodeKey(from item) (key table.Key, err error) {
	if key.PK, err = textOf(from, "PK"); err != nil {
		return table.Key{}, fmt.Errorf("table/dynamo: attribute PK: %w", err)
	}
	if key.SK, err = textOf(from, "SK"); err != nil {
		return table.Key{}, fmt.Errorf("table/dynamo: attribute SK: %w", err)
	}
	return key, nil
}

func textOf(from item, name string) (string, error) {
	s, ok := from[name].(*types.AttributeValueMemberS)
	if !ok {
		return "", fmt.Errorf("is a %T, not a string", from[name])
	}
	return s.Value, nil
}

func numberOf(from item, name string) (int64, error) {
	n, ok := from[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, fmt.Errorf("is a %T, not a number", from[name])
	}
	return strconv.ParseInt(n.Value, 10, 64)
}

func dataOf(from types.AttributeValue) (json.RawMessage, error) {
	if _, ok := from.(*types.AttributeValueMemberM); !ok {
		return nil, fmt.Errorf("is a %T, not a map", from)
	}
	v, err := valueOf(from)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// valueOf is the reverse of encode. An item edited by hand may hold what JSON has not, sets and binary: an error.
func valueOf(from types.AttributeValue) (v any, err error) {
	switch from := from.(type) {
	case *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberBOOL:
		return from.Value, nil
	case *types.AttributeValueMemberS:
		return from.Value, nil
	case *types.AttributeValueMemberN:
		return json.Number(from.Value), nil
	case *types.AttributeValueMemberL:
		list := make([]any, len(from.Value))
		for i, element := range from.Value {
			if list[i], err = valueOf(element); err != nil {
				return nil, fmt.Errorf("element %d %w", i, err)
			}
		}
		return list, nil
	case *types.AttributeValueMemberM:
		members := make(map[string]any, len(from.Value))
		for name, member := range from.Value {
			if members[name], err = valueOf(member); err != nil {
				return nil, fmt.Errorf("member %q %w", name, err)
			}
		}
		return members, nil
	}
	return nil, fmt.Errorf("is a %T, which JSON has not", from)
}
