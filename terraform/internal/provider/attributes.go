package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/check"
)

func idAttribute(says string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed: true, MarkdownDescription: says,
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

func required(says string, rules ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: says, Validators: rules}
}

// fixed cannot change: another value makes another resource.
func fixed(says string, rules ...validator.String) schema.StringAttribute {
	attribute := required(says+" Changing it replaces the resource.", rules...)
	attribute.PlanModifiers = []planmodifier.String{stringplanmodifier.RequiresReplace()}
	return attribute
}

func optional(says string, rules ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: says, Validators: rules}
}

func description(says string) schema.StringAttribute {
	attribute := optional(says+" Default empty.", check.Text(0, 5_000))
	attribute.Computed, attribute.Default = true, stringdefault.StaticString("")
	return attribute
}

// oneOf is an enumeration with a default.
func oneOf(says string, values []string, fallback string) schema.StringAttribute {
	quoted := "`" + strings.Join(values, "`, `") + "`"
	attribute := optional(fmt.Sprintf("%s One of %s. Default `%s`.", says, quoted, fallback), stringvalidator.OneOf(values...))
	attribute.Computed, attribute.Default = true, stringdefault.StaticString(fallback)
	return attribute
}

func flag(says string, fallback bool) schema.BoolAttribute {
	return schema.BoolAttribute{
		Optional: true, Computed: true, Default: booldefault.StaticBool(fallback),
		MarkdownDescription: fmt.Sprintf("%s Default `%t`.", says, fallback),
	}
}

func number(says string, fallback int64, rules ...validator.Int64) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional: true, Computed: true, Default: int64default.StaticInt64(fallback), Validators: rules,
		MarkdownDescription: fmt.Sprintf("%s Default %d.", says, fallback),
	}
}

func optionalNumber(says string, rules ...validator.Int64) schema.Int64Attribute {
	return schema.Int64Attribute{Optional: true, MarkdownDescription: says, Validators: rules}
}

// list is empty where it is left out.
func list(of attr.Type, says string, rules ...validator.List) schema.ListAttribute {
	return schema.ListAttribute{
		Optional: true, Computed: true, ElementType: of, MarkdownDescription: says,
		Validators: append(rules, listvalidator.NoNullValues()),
		Default:    listdefault.StaticValue(types.ListValueMust(of, []attr.Value{})),
	}
}

// ids are at most so many, each once.
func ids(says string, most int) schema.ListAttribute {
	return list(types.StringType, says, distinct(most, check.UUID())...)
}

func distinct(most int, rule validator.String) []validator.List {
	return []validator.List{listvalidator.SizeAtMost(most), listvalidator.UniqueValues(), listvalidator.ValueStringsAre(rule)}
}
