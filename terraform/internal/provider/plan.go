package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// changesNothing says whether a plan differs from the state only in timeouts and in what the server computes, which the
// framework marks as unknown as soon as a text is spelled otherwise.
func changesNothing(of schema.Schema, plan, state tftypes.Value) bool {
	var planned, known map[string]tftypes.Value
	if plan.As(&planned) != nil || state.As(&known) != nil {
		return false
	}
	for name, attribute := range of.Attributes {
		isComputed := attribute.IsComputed() && !attribute.IsOptional()
		if !isComputed && !planned[name].Equal(known[name]) {
			return false
		}
	}
	return true
}

// withTimeouts is the state with the timeouts of the plan.
func withTimeouts(state, plan tftypes.Value) tftypes.Value {
	var planned, known map[string]tftypes.Value
	if plan.As(&planned) != nil || state.As(&known) != nil {
		return state
	}
	known["timeouts"] = planned["timeouts"]
	return tftypes.NewValue(state.Type(), known)
}

// filled gives an argument that has a default the empty value where the state has none: it was written by a version of
// the provider that did not know the argument yet.
func filled(attribute schema.Attribute, value tftypes.Value) tftypes.Value {
	if attribute == nil || !value.IsNull() || !attribute.IsOptional() || !attribute.IsComputed() {
		return value
	}
	switch kind := value.Type(); {
	case kind.Is(tftypes.String):
		return tftypes.NewValue(kind, "")
	case kind.Is(tftypes.Number):
		return tftypes.NewValue(kind, 0)
	case kind.Is(tftypes.Bool):
		return tftypes.NewValue(kind, false)
	}
	return value
}

// keepSpelling leaves the text of the state where the configuration means the same.
type keepSpelling struct{}

func (keepSpelling) Description(context.Context) string         { return "compared by meaning" }
func (keepSpelling) MarkdownDescription(context.Context) string { return "compared by meaning" }

func (keepSpelling) PlanModifyString(ctx context.Context, request planmodifier.StringRequest, response *planmodifier.StringResponse) {
	if request.State.Raw.IsNull() || request.PlanValue.IsUnknown() {
		return
	}
	typed := request.Plan.Schema.GetAttributes()[request.Path.String()].GetType()
	stringType, ok := typed.(basetypes.StringTypable)
	if !ok {
		return
	}
	planned, found := stringType.ValueFromString(ctx, request.PlanValue)
	response.Diagnostics.Append(found...)
	kept, found := stringType.ValueFromString(ctx, request.StateValue)
	response.Diagnostics.Append(found...)
	comparable, ok := kept.(basetypes.StringValuableWithSemanticEquals)
	if !ok {
		return
	}
	if same, found := comparable.StringSemanticEquals(ctx, planned); same {
		response.Diagnostics.Append(found...)
		response.PlanValue = request.StateValue
	}
}
