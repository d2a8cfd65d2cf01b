package model

import (
	"encoding/json"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

func fields(text string) CustomFields {
	return CustomFields{StringValue: basetypes.NewStringValue(text)}
}

const plain = `[{"label":"A","type":"text"}]`

func TestCustomFieldsThatAskTheSameAreTheSame(t *testing.T) {
	for _, text := range []string{
		plain,
		` [ { "type": "text", "label": "A" } ] `,
		`[{"label":"A","type":"text","required":false,"placeholder":"","options":[]}]`,
	} {
		if !fields(plain).Means(fields(text)) || !fields(text).Means(fields(plain)) {
			t.Errorf("%s is another", text)
		}
	}
}

func TestCustomFieldsThatAskOtherwiseDiffer(t *testing.T) {
	for _, text := range []string{
		`[]`, `nothing`, ``,
		`[{"label":"B","type":"text"}]`,
		`[{"label":"A","type":"textarea"}]`,
		`[{"label":"A","type":"text","required":true}]`,
		`[{"label":"A","type":"text","placeholder":"x"}]`,
		`[{"label":"A","type":"text"},{"label":"B","type":"text"}]`,
	} {
		if fields(plain).Means(fields(text)) {
			t.Errorf("%s is the same", text)
		}
	}
	one, other := `[{"id":"a","label":"A","type":"text"}]`, `[{"id":"b","label":"A","type":"text"}]`
	if fields(one).Means(fields(other)) {
		t.Error("two ids are one")
	}
}

func TestAnIDIsTheServersUnlessItIsGiven(t *testing.T) {
	identified := `[{"id":"01a206fa-c26e-71f7-accd-11304130632c","label":"A","type":"text"}]`
	if !fields(identified).Means(fields(plain)) {
		t.Error("an id that is left to the server is a difference")
	}
	if fields(plain).Means(fields(identified)) {
		t.Error("an id that is given to a field afterwards is not seen")
	}
}

func TestCustomFieldsAreSentWholeAndRead(t *testing.T) {
	sent, err := json.Marshal(Template{CustomFields: fields(`[{"label":"<A> & B","type":"text"}]`)})
	if err != nil {
		t.Fatal(err)
	}
	var read Template
	if err := json.Unmarshal(sent, &read); err != nil {
		t.Fatal(err)
	}
	want := `[{"label":"<A> & B","type":"text","required":false,"placeholder":"","options":[]}]`
	if got := read.CustomFields.ValueString(); got != want {
		t.Error(got)
	}
}

func TestInstantsAreComparedToTheMillisecond(t *testing.T) {
	at := func(text string) Instant { return Instant{StringValue: basetypes.NewStringValue(text)} }
	never := Instant{StringValue: basetypes.NewStringNull()}
	if !at("2027-01-31T18:00:00Z").Means(at("2027-01-31T19:00:00.0004+01:00")) || !never.Means(never) {
		t.Error("one moment is two")
	}
	for _, other := range []Instant{never, at("2027-01-31T18:00:00.001Z"), at("x")} {
		if at("2027-01-31T18:00:00Z").Means(other) {
			t.Errorf("%s is the same", other)
		}
	}
	if IsPast(never) || !IsPast(at("2001-01-01T00:00:00Z")) || IsPast(at("2999-01-01T00:00:00Z")) {
		t.Error("past and future are mixed up")
	}
}
