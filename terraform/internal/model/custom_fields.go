package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// CustomField is one extra question of a template; the server gives an ID where there is none.
type CustomField struct {
	ID          string   `json:"id,omitempty"`
	Label       string   `json:"label"`
	Type        string   `json:"type"`
	Required    bool     `json:"required"`
	Placeholder string   `json:"placeholder"`
	Options     []string `json:"options"`
}

// ParseCustomFields reads the JSON of an array of custom fields, and refuses members that no field has.
func ParseCustomFields(text string) ([]CustomField, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var fields []CustomField
	if err := decoder.Decode(&fields); err != nil {
		return nil, explain(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("must be one JSON array, and nothing after it")
	}
	if fields == nil {
		return nil, errors.New("must be a JSON array; leave it out for no fields")
	}
	return fields, nil
}

func explain(err error) error {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) && mistyped.Field != "" {
		return fmt.Errorf("%s must not be a JSON %s", mistyped.Field, mistyped.Value)
	}
	if mistyped != nil {
		return fmt.Errorf("must be a JSON array of fields, not a %s", mistyped.Value)
	}
	return fmt.Errorf("must be a JSON array of fields: %s", strings.TrimPrefix(err.Error(), "json: "))
}

func renderCustomFields(fields []CustomField) ([]byte, error) {
	whole := slices.Clone(fields)
	for index := range whole {
		whole[index].Options = append([]string{}, whole[index].Options...)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(append([]CustomField{}, whole...))
	return bytes.TrimSpace(text.Bytes()), err
}

// means says whether a field is the one that is wanted; an id that the wanted one leaves to the server is no difference.
func (f CustomField) means(wanted CustomField) bool {
	sameID := wanted.ID == "" || strings.EqualFold(f.ID, wanted.ID)
	return sameID && f.Label == wanted.Label && f.Type == wanted.Type && f.Required == wanted.Required &&
		f.Placeholder == wanted.Placeholder && slices.Equal(f.Options, wanted.Options)
}

type fieldsMeaning struct{}

func (fieldsMeaning) same(known, wanted string) bool {
	fields, err := ParseCustomFields(known)
	others, otherErr := ParseCustomFields(wanted)
	return err == nil && otherErr == nil && slices.EqualFunc(fields, others, CustomField.means)
}

func (fieldsMeaning) encode(text *string) ([]byte, error) {
	if text == nil {
		return []byte("[]"), nil
	}
	fields, err := ParseCustomFields(*text)
	if err != nil {
		return nil, err
	}
	return renderCustomFields(fields)
}

func (fieldsMeaning) decode(data []byte) (*string, error) {
	var fields []CustomField
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	rendered, err := renderCustomFields(fields)
	text := string(rendered)
	return &text, err
}
