package provider

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

// arguments are what a data source was given; "" where it was not.
type arguments map[string]string

// lookup describes a data source: D is its state. Exactly one of oneOf is given, and all of needed.
type lookup[D any] struct {
	name   string
	noun   string
	schema schema.Schema
	needed []string
	oneOf  []string
	// together: both or neither.
	together []string
	find     func(ctx context.Context, client *api.Client, given arguments, found *D) error
}

// looked is the one implementation of all data sources.
type looked[D any] struct {
	lookup[D]
	client *api.Client
}

var (
	_ datasource.DataSourceWithConfigure        = &looked[groupData]{}
	_ datasource.DataSourceWithConfigValidators = &looked[groupData]{}
)

func (l *looked[D]) Metadata(_ context.Context, request datasource.MetadataRequest, response *datasource.MetadataResponse) {
	response.TypeName = request.ProviderTypeName + "_" + l.name
}

func (l *looked[D]) Schema(_ context.Context, _ datasource.SchemaRequest, response *datasource.SchemaResponse) {
	response.Schema = l.schema
}

func (l *looked[D]) Configure(_ context.Context, request datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if client, ok := request.ProviderData.(*api.Client); ok {
		l.client = client
	}
}

func (l *looked[D]) ConfigValidators(context.Context) (validators []datasource.ConfigValidator) {
	if len(l.oneOf) > 0 {
		validators = append(validators, datasourcevalidator.ExactlyOneOf(expressions(l.oneOf)...))
	}
	if len(l.together) > 0 {
		validators = append(validators, datasourcevalidator.RequiredTogether(expressions(l.together)...))
	}
	return validators
}

func expressions(names []string) (found []path.Expression) {
	for _, name := range names {
		found = append(found, path.MatchRoot(name))
	}
	return found
}

func (l *looked[D]) Read(ctx context.Context, request datasource.ReadRequest, response *datasource.ReadResponse) {
	given := arguments{}
	for _, names := range [][]string{l.needed, l.oneOf, l.together} {
		for _, name := range names {
			var value types.String
			response.Diagnostics.Append(request.Config.GetAttribute(ctx, path.Root(name), &value)...)
			given[name] = value.ValueString()
		}
	}
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found := new(D)
	if err := l.find(ctx, l.client, given, found); err != nil {
		response.Diagnostics.AddError("The "+l.noun+" was not read", explain(err))
		return
	}
	response.Diagnostics.Append(response.State.Set(ctx, found)...)
}

// get reads the one with an id, or the one that the finder finds by a text.
func get[D any](ctx context.Context, client *api.Client, item, id, text string, find finder, found *D) (err error) {
	if id == "" {
		if id, err = find(ctx, client, text); err != nil {
			return err
		}
	}
	answer, err := client.Send(ctx, api.Call{Method: http.MethodGet, Path: item + url.PathEscape(id)})
	if err != nil {
		return err
	}
	var given Identified
	if err := answer.Decode(&given); err != nil {
		return err
	}
	if !strings.EqualFold(given.id(), id) {
		return api.ErrStrange
	}
	return answer.Decode(found)
}

// shown turns a resource's attributes into those of a data source: computed, the keys may be given, or must be.
func shown(of resourceschema.Schema, needed []string, keys ...string) schema.Schema {
	attributes := map[string]schema.Attribute{}
	for name, attribute := range of.Attributes {
		attributes[name] = computed(attribute)
	}
	for _, name := range keys {
		attributes[name] = schema.StringAttribute{
			Optional: true, Computed: true, MarkdownDescription: of.Attributes[name].GetMarkdownDescription(),
		}
	}
	for _, name := range needed {
		attributes[name] = schema.StringAttribute{Required: true, MarkdownDescription: of.Attributes[name].GetMarkdownDescription()}
	}
	return schema.Schema{Attributes: attributes}
}

func computed(attribute resourceschema.Attribute) schema.Attribute {
	says := attribute.GetMarkdownDescription()
	switch kind := attribute.(type) {
	case resourceschema.BoolAttribute:
		return schema.BoolAttribute{Computed: true, MarkdownDescription: says}
	case resourceschema.Int64Attribute:
		return schema.Int64Attribute{Computed: true, MarkdownDescription: says}
	case resourceschema.ListAttribute:
		return schema.ListAttribute{Computed: true, MarkdownDescription: says, ElementType: kind.ElementType}
	case resourceschema.MapAttribute:
		return schema.MapAttribute{Computed: true, MarkdownDescription: says, ElementType: kind.ElementType}
	case resourceschema.StringAttribute:
		return schema.StringAttribute{Computed: true, MarkdownDescription: says, CustomType: kind.CustomType}
	}
	panic("a data source knows no attribute of this kind")
}
