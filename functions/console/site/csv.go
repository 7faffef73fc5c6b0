package site

import (
	"bytes"

	"marketplace/shared/fault"
)

// limitedBuffer keeps what is written, up to a number of bytes.
type limitedBuffer struct {
	kept bytes.Buffer
	left int
}

func (l *limitedBuffer) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fault.New(fault.TooLarge,
			"This export is too large to send at once. Choose fewer months and export the rest separately.")
	}
	return l.kept.Write(p)
}
