package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
	"hallpass.internal/terraform-provider-justiam/internal/check"
	"hallpass.internal/terraform-provider-justiam/internal/model"
)

type applicationData struct {
	Identified
	model.Application
}

type applicationModel struct {
	Timed
	applicationData
}

// findApplicationID takes a slug before a name.
var findApplicationID finder = func(ctx context.Context, client *api.Client, text string) (string, error) {
	id, err := findIn("/applications", "application", hasSlug)(ctx, client, text)
	var unknown *unknownName
	if errors.As(err, &unknown) {
		return findIn("/applications", "application", hasName)(ctx, client, text)
	}
	return id, err
}

func hasSlug(each named, slug string) bool { return each.Slug == slug }

func newApplication() resource.Resource {
	return &managed[applicationModel, *applicationModel]{kind: kind[applicationModel]{
		name: "application", noun: "application",
		schema: applicationSchema(),
		store: versioned[applicationModel, *applicationModel]{
			item:       "/applications/",
			collection: func(*applicationModel) string { return "/applications" },
			body:       func(m *applicationModel) any { return m.Application },
			find:       findApplicationID,
		},
	}}
}

func applicationSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A target system that access is given to. It cannot be deleted while something refers to it; its mappings go with it.",
		Attributes: map[string]schema.Attribute{
			"id":             idAttribute("The application's UUID, assigned by the server."),
			"name":           required("Display name, unique.", check.Name()),
			"slug":           required("What stands as `aud` in its tokens, unique: lower-case letters, digits and single hyphens.", check.Slug()),
			"description":    description("What it is."),
			"owner_group_id": optional("UUID of the group that owns it.", check.UUID()),
		},
	}
}

type appMappingData struct {
	Identified
	model.AppMapping
	model.AppMappingFacts
}

type appMappingModel struct {
	Timed
	appMappingData
}

func mappingsOf(appID string) string {
	return "/applications/" + url.PathEscape(appID) + "/mappings"
}

// findAppMappingID takes APPLICATION/NAME: an application's id, slug or name, then the mapping's name.
var findAppMappingID finder = func(ctx context.Context, client *api.Client, text string) (string, error) {
	application, name, ok := strings.Cut(text, "/")
	if !ok {
		return "", fmt.Errorf("name a mapping by its id, or as APPLICATION/NAME; %q is neither", text)
	}
	appID, err := idOf(ctx, client, application, findApplicationID)
	if err != nil {
		return "", err
	}
	return findIn(mappingsOf(appID), "mapping of "+application, hasName)(ctx, client, name)
}

func newAppMapping() resource.Resource {
	return &managed[appMappingModel, *appMappingModel]{kind: kind[appMappingModel]{
		name: "app_mapping", noun: "mapping",
		schema: appMappingSchema(),
		store: versioned[appMappingModel, *appMappingModel]{
			item:       "/app-mappings/",
			collection: func(m *appMappingModel) string { return mappingsOf(m.AppID) },
			parent:     "app_id",
			body:       func(m *appMappingModel) any { return m.AppMapping },
			find:       findAppMappingID,
		},
	}}
}

func appMappingSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "One entitlement of an application: a claim and a value in its tokens. " +
			"While a pending or approved request names it, its claim and value cannot change.",
		Attributes: map[string]schema.Attribute{
			"id":              idAttribute("The mapping's UUID, assigned by the server."),
			"app_id":          fixed("UUID of the application.", check.UUID()),
			"name":            required("Display name, unique in the application.", check.Name()),
			"claim":           required("Name of the claim, such as `roles`. Names that tokens use otherwise, such as `sub` or `groups`, are refused.", check.Claim()),
			"value":           required("Value in the claim.", check.Text(1, 1_000)),
			"privilege_level": oneOf("How much it allows.", check.PrivilegeLevels, "low"),
		},
	}
}

type groupData struct {
	Identified
	model.Group
	model.GroupFacts
}

type groupModel struct {
	Timed
	groupData
}

// findGroupID knows standing groups: the others live and end with their requests.
var findGroupID = findIn("/groups", "group", func(each named, name string) bool {
	return each.Name == name && each.Kind == "standing"
})

func newGroup() resource.Resource {
	return &managed[groupModel, *groupModel]{kind: kind[groupModel]{
		name: "group", noun: "group",
		schema: groupSchema(),
		store: versioned[groupModel, *groupModel]{
			item:       "/groups/",
			collection: func(*groupModel) string { return "/groups" },
			body:       func(m *groupModel) any { return m.Group },
			find:       findGroupID,
		},
	}}
}

func groupSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A standing set of identities. It cannot be deleted while a template, an open request or an application refers to it; its memberships go with it.",
		Attributes: map[string]schema.Attribute{
			"id":          idAttribute("The group's UUID, assigned by the server."),
			"name":        required("Display name, unique. Names that begin with `__access_req_` are reserved.", check.GroupName()),
			"description": description("Who belongs to it."),
			"permissions": list(types.StringType, "Permissions that its members hold, such as `access_requests.manage`.",
				listvalidator.UniqueValues(), listvalidator.ValueStringsAre(check.Permission())),
			"mapping_ids": schema.ListAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "UUIDs of the mappings that its members always hold.",
				PlanModifiers: []planmodifier.List{listplanmodifier.UseStateForUnknown()},
			},
		},
	}
}
