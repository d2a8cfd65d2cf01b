// Package check refuses at plan time what the server would refuse.
package check

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// Rule finds what is wrong with a text: "" where nothing is. Says describes it for the documentation.
type Rule struct {
	Says string
	Find func(text string) string
}

var _ validator.String = Rule{}

// Description is for the framework.
func (r Rule) Description(context.Context) string { return r.Says }

// MarkdownDescription is for the framework.
func (r Rule) MarkdownDescription(context.Context) string { return r.Says }

// ValidateString refuses a known value that the rule finds something wrong with.
func (r Rule) ValidateString(_ context.Context, request validator.StringRequest, response *validator.StringResponse) {
	if request.ConfigValue.IsNull() || request.ConfigValue.IsUnknown() {
		return
	}
	if wrong := r.Find(request.ConfigValue.ValueString()); wrong != "" {
		response.Diagnostics.AddAttributeError(request.Path, "Not a valid value", "The value "+wrong+".")
	}
}
