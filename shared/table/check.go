package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Check returns an ErrLimit if the transaction exceeds a limit. Engines call it before they begin.
func Check(writes []Write) error {
	if len(writes) > MaxWrites {
		return fmt.Errorf("%w: %d writes in one transaction", ErrLimit, len(writes))
	}
	seen := make(map[Key]bool, len(writes))
	total := 0
	for _, w := range writes {
		key := w.Row.Key
		if err := CheckKey(key); err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%w: %v twice in one transaction", ErrLimit, key)
		}
		seen[key] = true
		if w.Expect < Any {
			return fmt.Errorf("%w: %v is expected to have version %d", ErrLimit, key, w.Expect)
		}
		if w.Delete {
			continue
		}
		size, err := checkRow(w.Row)
		if err != nil {
			return fmt.Errorf("%w: %v: %v", ErrLimit, key, err)
		}
		total += size
	}
	if total > MaxTransaction {
		return fmt.Errorf("%w: %d bytes in one transaction", ErrLimit, total)
	}
	return nil
}

// CheckKey returns an ErrLimit if the key is not valid.
func CheckKey(key Key) error {
	if key.PK == "" || key.SK == "" {
		return fmt.Errorf("%w: an empty key", ErrLimit)
	}
	if err := checkText(key.PK, MaxPK); err != nil {
		return fmt.Errorf("%w: a partition key %v", ErrLimit, err)
	}
	if err := checkText(key.SK, MaxSK); err != nil {
		return fmt.Errorf("%w: a sort key %v", ErrLimit, err)
	}
	return nil
}

// CheckQuery returns an ErrLimit if the query is not valid. Engines call it before they begin.
func CheckQuery(q Query) error {
	if q.PK == "" {
		return fmt.Errorf("%w: an empty key", ErrLimit)
	}
	if err := checkText(q.PK, MaxPK); err != nil {
		return fmt.Errorf("%w: a partition key %v", ErrLimit, err)
	}
	for _, sk := range []string{q.From, q.To, q.After} {
		if err := checkText(sk, MaxSK); err != nil {
			return fmt.Errorf("%w: a bound %v", ErrLimit, err)
		}
	}
	return nil
}

func checkText(s string, most int) error {
	switch {
	case len(s) > most:
		return fmt.Errorf("of %d bytes", len(s))
	case strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("with a NUL byte")
	case !utf8.ValidString(s):
		return fmt.Errorf("that is not UTF-8")
	}
	return nil
}

// checkRow returns what a row counts in a transaction.
func checkRow(row Row) (size int, err error) {
	if !utf8.ValidString(row.Type) {
		return 0, errors.New("the Type is not UTF-8")
	}
	if !json.Valid(row.Data) || !utf8.Valid(row.Data) || bytes.TrimLeft(row.Data, " \t\r\n")[0] != '{' {
		return 0, errors.New("the Data is not a JSON object")
	}
	size, err = measure(row.Data)
	if err != nil {
		return 0, fmt.Errorf("the Data %w", err)
	}
	size = len(row.Type) + max(size, len(row.Data))
	if size > MaxRowSize {
		return 0, fmt.Errorf("%d bytes", size)
	}
	const names = 128 // bytes of the attributes' names and of the numbers beside Data
	return len(row.PK) + len(row.SK) + names + size, nil
}

// measure returns no less than the bytes that DynamoDB counts for a valid JSON value, or an error for one that it
// refuses.
func measure(data []byte) (size int, err error) {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '{', '[':
			size += 4 // three for the collection, one for its first element
			if depth++; depth > MaxDepth {
				return 0, fmt.Errorf("is more than %d levels deep", MaxDepth)
			}
		case '}', ']':
			depth--
		case ',':
			size++
		case '"':
			end := stringEnd(data, i)
			if end == i+1 && bytes.HasPrefix(bytes.TrimLeft(data[end+1:], " \t\r\n"), []byte(":")) {
				return 0, fmt.Errorf("has a member without a name")
			}
			size += end - i - 1 // an escape is never shorter than its character
			i = end
		case 't', 'n': // true, null
			size++
			i += 3
		case 'f': // false
			size++
			i += 4
		case ':', ' ', '\t', '\r', '\n':
		default:
			number := data[i : i+numberLen(data[i:])]
			digits, err := checkNumber(string(number))
			if err != nil {
				return 0, err
			}
			size += digits/2 + 3
			i += len(number) - 1
		}
	}
	return size, nil
}

// stringEnd returns the place of the quote that closes the string that begins at start.
func stringEnd(data []byte, start int) int {
	for i := start + 1; ; i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
}

func numberLen(data []byte) int {
	n := 0
	for n < len(data) && strings.IndexByte("+-.0123456789eE", data[n]) >= 0 {
		n++
	}
	return n
}

// checkNumber returns how many significant digits a JSON number has.
func checkNumber(number string) (digits int, err error) {
	mantissa, exponent := strings.TrimPrefix(number, "-"), 0
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		exponent, err = strconv.Atoi(mantissa[i+1:])
		mantissa = mantissa[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	significant := strings.TrimLeft(whole+fraction, "0")
	if significant == "" {
		return 0, nil
	}
	leading := exponent + len(significant) - len(fraction) - 1
	digits = len(strings.TrimRight(significant, "0"))
	switch {
	case digits > MaxDigits:
		return 0, fmt.Errorf("has a number of %d digits", digits)
	case err != nil || leading > MaxExponent || leading < MinExponent:
		return 0, fmt.Errorf("has a number beyond 1e%d or below 1e%d", MaxExponent, MinExponent)
	}
	return digits, nil
}
