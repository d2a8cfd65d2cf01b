package model

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// meaning says what a text stands for: whether one that is known is what another wants, and how the API writes it. Its
// zero value works.
type meaning interface {
	same(known, wanted string) bool
	encode(text *string) ([]byte, error)
	decode(json []byte) (*string, error)
}

// Text is a string that is compared by what it means: the author's own spelling stays.
type Text[M meaning] struct{ basetypes.StringValue }

// TextType is its type in a schema.
type TextType[M meaning] struct{ basetypes.StringType }

// CustomFields is the JSON text of a template's custom fields. Spaces, the order of members, defaults and ids that are
// left to the server are no difference.
type CustomFields = Text[fieldsMeaning]

// Instant is a moment in RFC 3339, or null; two spellings of one millisecond are the same.
type Instant = Text[instantMeaning]

var (
	_ basetypes.StringTypable                    = TextType[instantMeaning]{}
	_ basetypes.StringValuableWithSemanticEquals = Text[instantMeaning]{}
)

// CustomFieldsType and InstantType are the types of attributes.
type (
	CustomFieldsType = TextType[fieldsMeaning]
	InstantType      = TextType[instantMeaning]
)

func (TextType[M]) String() string                       { return fmt.Sprintf("Text[%T]", *new(M)) }
func (TextType[M]) ValueType(context.Context) attr.Value { return Text[M]{} }
func (TextType[M]) Equal(other attr.Type) bool {
	_, same := other.(TextType[M])
	return same
}

func (TextType[M]) ValueFromString(_ context.Context, in basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return Text[M]{in}, nil
}

func (t TextType[M]) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	value, err := t.StringType.ValueFromTerraform(ctx, in)
	if text, ok := value.(basetypes.StringValue); ok && err == nil {
		return Text[M]{text}, nil
	}
	return nil, fmt.Errorf("%s is no string: %w", t, err)
}

func (Text[M]) Type(context.Context) attr.Type { return TextType[M]{} }

func (v Text[M]) Equal(other attr.Value) bool {
	text, same := other.(Text[M])
	return same && v.StringValue.Equal(text.StringValue)
}

func (v Text[M]) StringSemanticEquals(_ context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	text, same := other.(Text[M])
	return same && v.Means(text), nil
}

// Means says whether what is known is what is wanted, or both are null.
func (v Text[M]) Means(wanted Text[M]) bool {
	if v.IsNull() || wanted.IsNull() || v.IsUnknown() || wanted.IsUnknown() {
		return v.Equal(wanted)
	}
	return (*new(M)).same(v.ValueString(), wanted.ValueString())
}

// MarshalJSON gives what the API takes.
func (v Text[M]) MarshalJSON() ([]byte, error) { return (*new(M)).encode(v.ValueStringPointer()) }

// UnmarshalJSON reads what the API gives.
func (v *Text[M]) UnmarshalJSON(data []byte) error {
	text, err := (*new(M)).decode(data)
	v.StringValue = basetypes.NewStringPointerValue(text)
	return err
}
