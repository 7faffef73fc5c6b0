package web

import (
	"net/http"

	"marketplace/shared/fault"
)

// keptOfStream is how many bytes of a streamed answer are kept before it begins to go out.
const keptOfStream = 64 << 10

// stream is a ResponseWriter that keeps an answer until it is larger than the limit, and from then on sends it as it is
// written. An error before that is answered like any other. One after it breaks the connection off, so that nobody takes the
// part that went out for the whole.
type stream struct {
	*answer
	to    http.ResponseWriter
	limit int // bytes
	begun bool
}

func (s *stream) Write(p []byte) (int, error) {
	if s.begun {
		return s.send(p)
	}
	n, err := s.answer.Write(p)
	if err == nil && s.body.Len() > s.limit && !s.head {
		s.begun = true
		s.copyHeader(s.to)
		s.to.WriteHeader(s.status)
		_, err = s.send(s.body.Bytes())
		s.body.Reset()
	}
	return n, err
}

func (s *stream) send(p []byte) (int, error) {
	n, err := s.to.Write(p)
	if err != nil {
		err = fault.Wrap(fault.Unavailable, err, "The client is gone.")
	}
	return n, err
}
