// Package provider is the Terraform provider: its configuration, resources and data sources.
package provider

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

// Address is the provider's source. Its host is reserved for private use, so that nobody else can publish there.
const Address = "hallpass.internal/hallpass/justiam"

// New makes the provider of a version.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &justiam{version} }
}

type justiam struct{ version string }

type settings struct {
	Endpoint     types.String `tfsdk:"endpoint"`
	Token        types.String `tfsdk:"token"`
	ClientID     types.String `tfsdk:"client_id"`
	ClientSecret types.String `tfsdk:"client_secret"`
	CAFile       types.String `tfsdk:"ca_file"`
}

func (p *justiam) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName, response.Version = "justiam", p.version
}

func (p *justiam) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = schema.Schema{
		MarkdownDescription: "Manages Hallpass: access-request templates, scripts, and the applications, mappings and groups that they refer to.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Where Hallpass is, such as `https://hallpass.example.com`. Else `HALLPASS_ENDPOINT`.",
			},
			"token": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "A bearer token or personal access token. Else `HALLPASS_TOKEN`.",
			},
			"client_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "The id of a non-human identity, which gets short-lived tokens. Else `HALLPASS_CLIENT_ID`.",
			},
			"client_secret": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "A client secret of that identity. Else `HALLPASS_CLIENT_SECRET`.",
			},
			"ca_file": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "A file of PEM certificates to trust besides the system's. Else `HALLPASS_CA_FILE`.",
			},
		},
	}
}

func (p *justiam) Configure(ctx context.Context, request provider.ConfigureRequest, response *provider.ConfigureResponse) {
	var given settings
	response.Diagnostics.Append(request.Config.Get(ctx, &given)...)
	response.Diagnostics.Append(given.refuseUnknown()...)
	if response.Diagnostics.HasError() {
		return
	}
	config := given.resolve(os.Getenv)
	response.Diagnostics.Append(refuseConfig(config)...)
	if response.Diagnostics.HasError() {
		return
	}
	config.UserAgent = fmt.Sprintf("terraform-provider-justiam/%s Terraform/%s", p.version, request.TerraformVersion)
	client, wrong := api.New(config)
	if wrong != nil {
		response.Diagnostics.AddAttributeError(path.Root(wrong.Attribute), "Hallpass cannot be called", wrong.Error()+".")
		return
	}
	response.ResourceData, response.DataSourceData = client, client
}

func (s settings) refuseUnknown() (found diag.Diagnostics) {
	for name, value := range map[string]types.String{
		"endpoint": s.Endpoint, "token": s.Token, "client_id": s.ClientID, "client_secret": s.ClientSecret, "ca_file": s.CAFile,
	} {
		if value.IsUnknown() {
			found.AddAttributeError(path.Root(name), "Not known yet",
				"The provider has to know this before it plans. Give a value that no resource of the same run makes, or an environment variable.")
		}
	}
	return found
}

// resolve fills in what the configuration leaves out from the environment. A credential comes from one of them, whole.
func (s settings) resolve(env func(string) string) api.Config {
	either := func(value types.String, variable string) string {
		if value.IsNull() {
			return env(variable)
		}
		return value.ValueString()
	}
	config := api.Config{
		Endpoint: either(s.Endpoint, "HALLPASS_ENDPOINT"),
		CAFile:   either(s.CAFile, "HALLPASS_CA_FILE"),
		Token:    s.Token.ValueString(),
	}
	if s.Token.IsNull() {
		config.ClientID = either(s.ClientID, "HALLPASS_CLIENT_ID")
		config.ClientSecret = either(s.ClientSecret, "HALLPASS_CLIENT_SECRET")
	} else {
		config.ClientID, config.ClientSecret = s.ClientID.ValueString(), s.ClientSecret.ValueString()
	}
	if s.Token.IsNull() && s.ClientID.IsNull() && s.ClientSecret.IsNull() {
		config.Token = env("HALLPASS_TOKEN")
	}
	return config
}

func refuseConfig(config api.Config) (found diag.Diagnostics) {
	if config.Endpoint == "" {
		found.AddAttributeError(path.Root("endpoint"), "No endpoint", "Set endpoint or HALLPASS_ENDPOINT to where Hallpass is.")
	}
	hasClient := config.ClientID != "" || config.ClientSecret != ""
	switch {
	case config.Token != "" && hasClient:
		found.AddError("Two credentials", "Give either a token, or client_id and client_secret.")
	case config.Token == "" && !hasClient:
		found.AddError("No credential", "Set token or HALLPASS_TOKEN, or client_id and client_secret (HALLPASS_CLIENT_ID and HALLPASS_CLIENT_SECRET).")
	case hasClient && (config.ClientID == "" || config.ClientSecret == ""):
		found.AddError("Half a credential", "client_id and client_secret go together: both or neither.")
	}
	found.Append(refuseBlanks(config)...)
	if isPlain(config.Endpoint) {
		found.AddAttributeWarning(path.Root("endpoint"), "Not encrypted", "The credential is sent by plain http. Use https outside of this machine.")
	}
	return found
}

// refuseBlanks: no credential has any, and a file's last line end is easily taken for a part of one.
func refuseBlanks(config api.Config) (found diag.Diagnostics) {
	for name, value := range map[string]string{"token": config.Token, "client_id": config.ClientID, "client_secret": config.ClientSecret} {
		if strings.ContainsFunc(value, func(char rune) bool { return unicode.IsSpace(char) || unicode.IsControl(char) }) {
			found.AddAttributeError(path.Root(name), "Not a credential", name+" holds a space or a line break. Where it is read from a file, take them off with trimspace().")
		}
	}
	return found
}

func isPlain(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Scheme != "http" {
		return false
	}
	host := parsed.Hostname()
	return host != "localhost" && host != "::1" && host != "127.0.0.1"
}

func (p *justiam) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{
		newTemplate, newScriptTask, newApplication, newAppMapping, newGroup, newGroupMembership, newSecret,
	}
}

func (p *justiam) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		findTemplate, findScriptTask, findApplication, findAppMapping, findGroup, findGroupMembership, findSecret, findIdentity,
	}
}
