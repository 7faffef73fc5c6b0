package bundle_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"marketplace/catalog/bundle"
)

// FuzzDecode mends the checksum of each input, so that hostile lengths reach the reader behind it.
func FuzzDecode(f *testing.F) {
	f.Add(sample().Encode())
	f.Add((&bundle.Bundle{}).Encode())
	f.Add([]byte("catalog\x01\x00\x00\x00\x00\x00\x00\x00\x09\x00\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 12 {
			data = bytes.Clone(data)
			binary.BigEndian.PutUint32(data[8:], crc32.ChecksumIEEE(data[12:]))
		}
		b, err := bundle.Decode(data)
		if err != nil {
			return
		}
		again, err := bundle.Decode(b.Encode())
		if err != nil || !bytes.Equal(again.Encode(), b.Encode()) {
			t.Fatalf("accepted, but does not survive encoding: %v", err)
		}
	})
}
