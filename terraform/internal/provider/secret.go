package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
	"hallpass.internal/terraform-provider-justiam/internal/check"
	"hallpass.internal/terraform-provider-justiam/internal/model"
)

type secretModel struct {
	Timed
	Identified
	Name    string   `tfsdk:"name"`
	Value   *string  `tfsdk:"value_wo"`
	Version *int64   `tfsdk:"value_wo_version"`
	Hosts   []string `tfsdk:"hosts"`
}

func newSecret() resource.Resource {
	return &managed[secretModel, *secretModel]{kind: kind[secretModel]{
		name: "secret", noun: "secret", store: secrets{}, fromConfig: readSecretValue, renamed: map[string]string{"value": "value_wo"},
		schema: secretSchema(),
	}}
}

func secretSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A secret that scripts send without knowing it. Its value is **write-only**: Terraform keeps it in no plan and no state, " +
			"so that a change of `value_wo_version` is what has it written again. Needs Terraform 1.11 or OpenTofu 1.11. " +
			"Where somebody else has written the secret, the next apply writes it again.",
		Attributes: map[string]schema.Attribute{
			"id":   idAttribute("The secret's name."),
			"name": fixed("As scripts spell it: `secrets.get(\"NAME\")`.", check.SecretName()),
			"value_wo": schema.StringAttribute{
				Required: true, Sensitive: true, WriteOnly: true, Validators: []validator.String{secretValue()},
				MarkdownDescription: "The value, 4 to 32768 characters. It is sent with every change of the other arguments too.",
			},
			"value_wo_version": schema.Int64Attribute{
				Required: true, MarkdownDescription: "Any number; another one has `value_wo` written again.",
			},
			"hosts": list(types.StringType, "Hosts that it may be sent to: `host`, `*.host` or `host:port`. Empty: none.",
				listvalidator.SizeAtMost(100), listvalidator.ValueStringsAre(check.Text(1, 300), check.EgressHost())),
		},
	}
}

// secretValue never shows the value.
func secretValue() check.Rule {
	return check.Text(4, 32_768)
}

func readSecretValue(ctx context.Context, config tfsdk.Config, planned *secretModel) diag.Diagnostics {
	return config.GetAttribute(ctx, path.Root("value_wo"), &planned.Value)
}

// secrets have no entity tag: when they were written last stands for it.
type secrets struct{}

func findStored(ctx context.Context, client *api.Client, name string) (*model.StoredSecret, error) {
	return api.Find(ctx, client, "/secrets", func(each model.StoredSecret) bool { return each.Name == name })
}

func (secrets) write(ctx context.Context, client *api.Client, planned *secretModel) (string, error) {
	value := planned.Value
	planned.Value = nil
	if value == nil {
		return "", fmt.Errorf("value_wo has no value: the secret cannot be written")
	}
	body := model.Secret{Value: *value, Hosts: planned.Hosts}
	answer, err := client.Send(ctx, api.Call{Method: http.MethodPut, Path: "/secrets/" + url.PathEscape(planned.Name), Body: body})
	if err != nil {
		return "", err
	}
	var stored model.StoredSecret
	err = answer.Decode(&stored)
	if err == nil && stored.Name != planned.Name {
		err = api.ErrStrange
	}
	planned.ID, planned.Hosts = &planned.Name, stored.Hosts
	return stored.UpdatedAt, err
}

func (s secrets) create(ctx context.Context, client *api.Client, planned *secretModel) (string, error) {
	found, err := findStored(ctx, client, planned.Name)
	if err != nil {
		return "", err
	}
	if found != nil {
		return "", fmt.Errorf("there is a secret %s already, which would be overwritten. To manage it, import it: terraform import justiam_secret.<name> %s",
			planned.Name, planned.Name)
	}
	return s.write(ctx, client, planned)
}

// read forgets the version of a value that is not the one that Terraform wrote.
func (secrets) read(ctx context.Context, client *api.Client, state *secretModel, etag string) (string, error) {
	found, err := findStored(ctx, client, state.Name)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", api.Missing("There is no such secret.")
	}
	state.ID, state.Hosts = &found.Name, found.Hosts
	if etag != "" && etag != found.UpdatedAt {
		state.Version = nil
	}
	return found.UpdatedAt, nil
}

func (s secrets) update(ctx context.Context, client *api.Client, planned, prior *secretModel, etag string) (string, error) {
	if err := s.assertSame(ctx, client, prior.Name, etag); err != nil {
		return "", err
	}
	return s.write(ctx, client, planned)
}

func (s secrets) remove(ctx context.Context, client *api.Client, state *secretModel, etag string) error {
	if err := s.assertSame(ctx, client, state.Name, etag); err != nil {
		return err
	}
	_, err := client.Send(ctx, api.Call{Method: http.MethodDelete, Path: "/secrets/" + url.PathEscape(state.Name)})
	return err
}

func (secrets) assertSame(ctx context.Context, client *api.Client, name, etag string) error {
	found, err := findStored(ctx, client, name)
	if err != nil {
		return err
	}
	if found == nil {
		return api.Missing("There is no such secret any more.")
	}
	if etag != "" && etag != found.UpdatedAt {
		return api.Conflict("The secret was written at " + found.UpdatedAt + ".")
	}
	return nil
}

// locate takes NAME, or NAME/VERSION where the value is known to be that of the version.
func (secrets) locate(_ context.Context, _ *api.Client, text string, state *secretModel) error {
	name, version, hasVersion := strings.Cut(text, "/")
	state.Name = name
	if !hasVersion {
		return nil
	}
	number, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return fmt.Errorf("name a secret as NAME or NAME/VERSION; %q is no version", version)
	}
	state.Version = &number
	return nil
}
