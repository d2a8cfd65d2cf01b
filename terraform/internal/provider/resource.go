package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

const (
	readTimeout  = 2 * time.Minute
	writeTimeout = 5 * time.Minute
)

// Timed is embedded in the state of every resource.
type Timed struct {
	Timeouts timeouts.Value `json:"-" tfsdk:"timeouts"`
}

func (t *Timed) timed() *Timed { return t }

type timedModel[M any] interface {
	*M
	timed() *Timed
}

// store does to the API what Terraform decided; M is the state of a resource, which each call but remove brings up to
// date. The entity tag is what the caller has seen last, "" where it has seen none; the one returned is today's.
type store[M any] interface {
	create(ctx context.Context, client *api.Client, planned *M) (etag string, err error)
	read(ctx context.Context, client *api.Client, state *M, etag string) (string, error)
	update(ctx context.Context, client *api.Client, planned, prior *M, etag string) (string, error)
	remove(ctx context.Context, client *api.Client, state *M, etag string) error
	// locate fills in the keys of what an import names.
	locate(ctx context.Context, client *api.Client, text string, state *M) error
}

// kind describes a resource: name is its type without the prefix, noun what sentences call it.
type kind[M any] struct {
	name   string
	noun   string
	schema schema.Schema
	store  store[M]
	// renamed: members of the API's body that the schema calls otherwise.
	renamed map[string]string
	// fromConfig reads what no plan holds: write-only arguments.
	fromConfig  func(ctx context.Context, config tfsdk.Config, planned *M) diag.Diagnostics
	checkConfig func(ctx context.Context, config tfsdk.Config) diag.Diagnostics
	checkPlan   func(ctx context.Context, client *api.Client, request resource.ModifyPlanRequest) diag.Diagnostics
}

// managed is the one implementation of all resources.
type managed[M any, P timedModel[M]] struct {
	kind[M]
	client *api.Client
}

var (
	_ resource.ResourceWithConfigure      = &managed[groupModel, *groupModel]{}
	_ resource.ResourceWithImportState    = &managed[groupModel, *groupModel]{}
	_ resource.ResourceWithModifyPlan     = &managed[groupModel, *groupModel]{}
	_ resource.ResourceWithValidateConfig = &managed[groupModel, *groupModel]{}
)

func (r *managed[M, P]) Metadata(_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = request.ProviderTypeName + "_" + r.name
}

func (r *managed[M, P]) Schema(ctx context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = r.schema
	response.Schema.Blocks = map[string]schema.Block{"timeouts": timeouts.BlockAll(ctx)}
}

func (r *managed[M, P]) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if client, ok := request.ProviderData.(*api.Client); ok {
		r.client = client
	}
}

func (r *managed[M, P]) ValidateConfig(ctx context.Context, request resource.ValidateConfigRequest, response *resource.ValidateConfigResponse) {
	if r.checkConfig != nil {
		response.Diagnostics.Append(r.checkConfig(ctx, request.Config)...)
	}
}

func (r *managed[M, P]) ModifyPlan(ctx context.Context, request resource.ModifyPlanRequest, response *resource.ModifyPlanResponse) {
	if request.Plan.Raw.IsNull() {
		return
	}
	if !request.State.Raw.IsNull() && changesNothing(r.schema, request.Plan.Raw, request.State.Raw) {
		response.Plan.Raw = withTimeouts(request.State.Raw, request.Plan.Raw)
		return
	}
	if r.checkPlan != nil && r.client != nil {
		response.Diagnostics.Append(r.checkPlan(ctx, r.client, request)...)
	}
}

// readPlan takes unknown values as absent: the server gives them.
func (r *managed[M, P]) readPlan(ctx context.Context, plan tfsdk.Plan, config tfsdk.Config, planned *M) (found diag.Diagnostics) {
	known, err := tftypes.Transform(plan.Raw, func(_ *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		if value.IsKnown() {
			return value, nil
		}
		return tftypes.NewValue(value.Type(), nil), nil
	})
	if err != nil {
		found.AddError("The plan cannot be read", err.Error())
		return found
	}
	plan.Raw = known
	found.Append(plan.Get(ctx, planned)...)
	if r.fromConfig != nil {
		found.Append(r.fromConfig(ctx, config, planned)...)
	}
	return found
}

// readState takes what is kept of a resource, and the entity tag that was seen last. An argument that the provider did
// not know yet when the state was written is empty there.
func (r *managed[M, P]) readState(ctx context.Context, state tfsdk.State, kept private) (*M, string, diag.Diagnostics) {
	known := new(M)
	raw, err := tftypes.Transform(state.Raw, func(at *tftypes.AttributePath, value tftypes.Value) (tftypes.Value, error) {
		name, _ := at.LastStep().(tftypes.AttributeName)
		return filled(r.schema.Attributes[string(name)], value), nil
	})
	if err != nil {
		return known, "", diag.Diagnostics{diag.NewErrorDiagnostic("The state cannot be read", err.Error())}
	}
	state.Raw = raw
	found := state.Get(ctx, known)
	seen, wrong := kept.GetKey(ctx, etagKey)
	found.Append(wrong...)
	return known, unquote(seen), found
}

type limit func(ctx context.Context, fallback time.Duration) (time.Duration, diag.Diagnostics)

func within(ctx context.Context, limit limit, fallback time.Duration, found *diag.Diagnostics) (context.Context, context.CancelFunc) {
	longest, wrong := limit(ctx, fallback)
	found.Append(wrong...)
	return context.WithTimeout(ctx, longest)
}

func noTimeouts() timeouts.Value {
	names := map[string]attr.Type{
		"create": types.StringType, "read": types.StringType, "update": types.StringType, "delete": types.StringType,
	}
	return timeouts.Value{Object: types.ObjectNull(names)}
}
