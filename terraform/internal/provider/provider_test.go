package provider

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

func TestSchemasAreSound(t *testing.T) {
	ctx := context.Background()
	it := New("test")()
	var own provider.SchemaResponse
	it.Schema(ctx, provider.SchemaRequest{}, &own)
	if found := own.Schema.ValidateImplementation(ctx); found.HasError() {
		t.Error(found)
	}
	for _, make := range it.Resources(ctx) {
		var response resource.SchemaResponse
		make().Schema(ctx, resource.SchemaRequest{}, &response)
		if found := response.Schema.ValidateImplementation(ctx); found.HasError() {
			t.Error(found)
		}
	}
	for _, make := range it.DataSources(ctx) {
		var response datasource.SchemaResponse
		make().Schema(ctx, datasource.SchemaRequest{}, &response)
		if found := response.Schema.ValidateImplementation(ctx); found.HasError() {
			t.Error(found)
		}
	}
}

func TestARefusalStandsAtItsAttribute(t *testing.T) {
	templates, tasks := kind[templateModel]{noun: "template", schema: templateSchema()}, kind[scriptTaskModel]{schema: scriptTaskSchema()}
	kept := kind[secretModel]{schema: secretSchema(), renamed: map[string]string{"value": "value_wo"}}
	for _, each := range []struct {
		attributeAt func(string) (path.Path, string, bool)
		pointer     string
		at          path.Path
		within      string
	}{
		{templates.attributeAt, "/name", path.Root("name"), ""},
		{templates.attributeAt, "/mapping_ids/2", path.Root("mapping_ids").AtListIndex(2), ""},
		{templates.attributeAt, "/mapping_ids", path.Root("mapping_ids"), ""},
		{templates.attributeAt, "/custom_fields/0/label", path.Root("custom_fields"), "0/label"},
		{tasks.attributeAt, "/config/a~1b~0c", path.Root("config").AtMapKey("a/b~c"), ""},
		{kept.attributeAt, "/value", path.Root("value_wo"), ""},
	} {
		at, within, ok := each.attributeAt(each.pointer)
		if !ok || !at.Equal(each.at) || within != each.within {
			t.Errorf("%s is at %s %q", each.pointer, at, within)
		}
	}
	if _, _, ok := templates.attributeAt("/idempotency-key"); ok {
		t.Error("what is no attribute has a place")
	}
}

func TestARefusalIsToldWhole(t *testing.T) {
	templates := kind[templateModel]{name: "access_request_template", noun: "template", schema: templateSchema()}
	for code, says := range map[string]string{
		"precondition_failed": "Somebody else changed this template",
		"template_in_use":     "revoke them, or wait",
		"name_taken":          "terraform import justiam_access_request_template.",
		"forbidden":           "group with that permission",
	} {
		found := templates.refuse(&api.Problem{Code: code, Detail: "No."}, "changed")
		if len(found) != 1 || !strings.Contains(found[0].Detail(), "No.") || !strings.Contains(found[0].Detail(), says) {
			t.Errorf("%s: %v", code, found)
		}
	}
	if found := templates.refuse(errors.New("lost"), "read"); found[0].Summary() != "The template was not read" || found[0].Detail() != "lost" {
		t.Error(found)
	}
}

func TestACredentialComesWholeFromOnePlace(t *testing.T) {
	null, given := types.StringNull(), types.StringValue
	env := map[string]string{
		"HALLPASS_ENDPOINT": "https://env", "HALLPASS_TOKEN": "env-token", "HALLPASS_CLIENT_ID": "env-id", "HALLPASS_CLIENT_SECRET": "env-secret",
	}
	onlyClient := map[string]string{"HALLPASS_ENDPOINT": "https://env", "HALLPASS_CLIENT_ID": "env-id", "HALLPASS_CLIENT_SECRET": "env-secret"}
	for name, each := range map[string]struct {
		settings settings
		env      map[string]string
		want     api.Config
		refused  bool
	}{
		"a token beats the environment": {
			settings{null, given("mine"), null, null, null}, env, api.Config{Endpoint: "https://env", Token: "mine"}, false,
		},
		"a client beats the environment's token": {
			settings{given("https://a"), null, given("id"), null, null}, env, api.Config{Endpoint: "https://a", ClientID: "id", ClientSecret: "env-secret"}, false,
		},
		"the environment's client": {
			settings{null, null, null, null, null}, onlyClient, api.Config{Endpoint: "https://env", ClientID: "env-id", ClientSecret: "env-secret"}, false,
		},
		"two in the environment are refused": {
			settings{null, null, null, null, null}, env,
			api.Config{Endpoint: "https://env", Token: "env-token", ClientID: "env-id", ClientSecret: "env-secret"}, true,
		},
		"two in the configuration are refused": {
			settings{null, given("t"), given("id"), given("secret"), null}, onlyClient,
			api.Config{Endpoint: "https://env", Token: "t", ClientID: "id", ClientSecret: "secret"}, true,
		},
		"nothing is refused": {settings{null, null, null, null, null}, nil, api.Config{}, true},
	} {
		got := each.settings.resolve(func(variable string) string { return each.env[variable] })
		if got != each.want || refuseConfig(got).HasError() != each.refused {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestPlainHTTPIsWarnedOfOutsideOfThisMachine(t *testing.T) {
	for endpoint, warned := range map[string]bool{
		"http://hallpass.example.com": true, "http://127.0.0.1:8080": false, "http://localhost": false, "http://[::1]:80": false, "https://a": false,
	} {
		if isPlain(endpoint) != warned {
			t.Errorf("%s: %t", endpoint, !warned)
		}
	}
}
