package model

import (
	"encoding/json"
	"time"
)

type instantMeaning struct{}

// ParseInstant reads RFC 3339, to the millisecond as the server does.
func ParseInstant(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	return at.Truncate(time.Millisecond), err
}

// IsPast says whether the moment has come; null never comes.
func IsPast(instant Instant) bool {
	at, err := ParseInstant(instant.ValueString())
	return err == nil && !at.After(time.Now())
}

func (instantMeaning) same(known, wanted string) bool {
	at, err := ParseInstant(known)
	otherAt, otherErr := ParseInstant(wanted)
	return err == nil && otherErr == nil && at.Equal(otherAt)
}

func (instantMeaning) encode(text *string) ([]byte, error) { return json.Marshal(text) }

func (instantMeaning) decode(data []byte) (text *string, err error) {
	err = json.Unmarshal(data, &text)
	return text, err
}
