package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"marketplace/shared/table"
)

// address is a row's key in the file: no key holds a NUL byte, so rows lie in the order of partition, then sort key.
func address(key table.Key) []byte {
	at := make([]byte, 0, len(key.PK)+1+len(key.SK))
	at = append(at, key.PK...)
	at = append(at, 0)
	return append(at, key.SK...)
}

// format is the first byte of every value: format, then version, schema, expires as varints, the type's length and
// the type, then Data as it came.
const format = 1

// never is the expires of a row that does not expire.
const never = math.MinInt64

type header struct{ version, schema, expires int64 }

var errMangled = errors.New("table/bolt: a row that this program did not write")

func encode(row table.Row) []byte {
	expires := int64(never)
	if !row.Expires.IsZero() {
		expires = row.Expires.Unix()
	}
	value := make([]byte, 0, 1+4*binary.MaxVarintLen64+len(row.Type)+len(row.Data))
	value = append(value, format)
	value = binary.AppendVarint(value, row.Version)
	value = binary.AppendVarint(value, int64(row.Schema))
	value = binary.AppendVarint(value, expires)
	value = binary.AppendUvarint(value, uint64(len(row.Type)))
	value = append(value, row.Type...)
	return append(value, row.Data...)
}

// decode makes a row that does not share memory with the file.
func decode(key table.Key, value []byte) (table.Row, error) {
	h, rest, err := decodeHeader(value)
	length, n := binary.Uvarint(rest)
	if err != nil || n <= 0 || length > uint64(len(rest)-n) {
		return table.Row{}, fmt.Errorf("read %v: %w", key, errMangled)
	}
	row := table.Row{
		Key:     key,
		Type:    string(rest[n : n+int(length)]),
		Schema:  int(h.schema),
		Version: h.version,
		Data:    bytes.Clone(rest[n+int(length):]),
	}
	if h.expires != never {
		row.Expires = time.Unix(h.expires, 0).UTC()
	}
	return row, nil
}

func decodeHeader(value []byte) (h header, rest []byte, err error) {
	if len(value) == 0 || value[0] != format {
		return header{}, nil, errMangled
	}
	rest = value[1:]
	for _, field := range []*int64{&h.version, &h.schema, &h.expires} {
		v, n := binary.Varint(rest)
		if n <= 0 {
			return header{}, nil, errMangled
		}
		*field, rest = v, rest[n:]
	}
	return h, rest, nil
}
