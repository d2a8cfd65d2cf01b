package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
	"hallpass.internal/terraform-provider-justiam/internal/model"
)

func described(says string, of schema.Schema) schema.Schema {
	of.MarkdownDescription = says
	return of
}

// byName finds what has an id and a name.
func byName[D any](item string, find finder) func(context.Context, *api.Client, arguments, *D) error {
	return func(ctx context.Context, client *api.Client, given arguments, found *D) error {
		return get(ctx, client, item, given["id"], given["name"], find, found)
	}
}

func findTemplate() datasource.DataSource {
	return &looked[templateData]{lookup: lookup[templateData]{
		name: "access_request_template", noun: "template", oneOf: []string{"id", "name"},
		schema: described("Looks a template up by its name or id.", shown(templateSchema(), nil, "id", "name")),
		find:   byName[templateData]("/access-request-templates/", findTemplateID),
	}}
}

func findScriptTask() datasource.DataSource {
	return &looked[scriptTaskData]{lookup: lookup[scriptTaskData]{
		name: "scheduled_task", noun: "script task", oneOf: []string{"id", "name"},
		schema: described("Looks a script task up by its name or id.", shown(scriptTaskSchema(), nil, "id", "name")),
		find:   byName[scriptTaskData]("/scheduled-tasks/", findScriptTaskID),
	}}
}

func findGroup() datasource.DataSource {
	return &looked[groupData]{lookup: lookup[groupData]{
		name: "group", noun: "group", oneOf: []string{"id", "name"},
		schema: described("Looks a standing group up by its name or id.", shown(groupSchema(), nil, "id", "name")),
		find:   byName[groupData]("/groups/", findGroupID),
	}}
}

func findApplication() datasource.DataSource {
	return &looked[applicationData]{lookup: lookup[applicationData]{
		name: "application", noun: "application", oneOf: []string{"id", "name", "slug"},
		schema: described("Looks an application up by its slug, name or id.", shown(applicationSchema(), nil, "id", "name", "slug")),
		find: func(ctx context.Context, client *api.Client, given arguments, found *applicationData) error {
			if given["slug"] != "" {
				return get(ctx, client, "/applications/", "", given["slug"], findIn("/applications", "application with the slug", hasSlug), found)
			}
			return get(ctx, client, "/applications/", given["id"], given["name"], findIn("/applications", "application", hasName), found)
		},
	}}
}

func findAppMapping() datasource.DataSource {
	return &looked[appMappingData]{lookup: lookup[appMappingData]{
		name: "app_mapping", noun: "mapping", oneOf: []string{"id", "name"}, together: []string{"app_id", "name"},
		schema: described("Looks a mapping up by its application and name, or by its id.", shown(appMappingSchema(), nil, "id", "name", "app_id")),
		find: func(ctx context.Context, client *api.Client, given arguments, found *appMappingData) error {
			return get(ctx, client, "/app-mappings/", given["id"], given["name"], findIn(mappingsOf(given["app_id"]), "mapping", hasName), found)
		},
	}}
}

func findGroupMembership() datasource.DataSource {
	of := shown(membershipSchema(), []string{"group_id"}, "identity_id")
	of.Attributes["email"] = schema.StringAttribute{
		Optional: true, Computed: true, MarkdownDescription: "The person's e-mail, or the non-human identity's handle.",
	}
	return &looked[membershipLookup]{lookup: lookup[membershipLookup]{
		name: "group_membership", noun: "membership", needed: []string{"group_id"}, oneOf: []string{"identity_id", "email"},
		schema: described("Looks up whether, and until when, an identity is in a group.", of),
		find: func(ctx context.Context, client *api.Client, given arguments, found *membershipLookup) error {
			found.GroupID = given["group_id"]
			member, err := api.Find(ctx, client, found.members(), func(each model.Member) bool {
				return each.IdentityID == given["identity_id"] || strings.EqualFold(each.Email, given["email"])
			})
			if err != nil {
				return err
			}
			if member == nil {
				return &unknownName{"member", given["identity_id"] + given["email"]}
			}
			found.IdentityID, found.Email, found.ExpiresAt = member.IdentityID, member.Email, member.ExpiresAt
			found.identify()
			return nil
		},
	}}
}

// membershipLookup says whose membership it is, too.
type membershipLookup struct {
	membershipData
	Email string `tfsdk:"email"`
}

func findSecret() datasource.DataSource {
	return &looked[model.StoredSecret]{lookup: lookup[model.StoredSecret]{
		name: "secret", noun: "secret", needed: []string{"name"},
		schema: schema.Schema{
			MarkdownDescription: "Looks up where a secret may be sent, and when it was written last. Nothing tells its value.",
			Attributes: map[string]schema.Attribute{
				"name":       schema.StringAttribute{Required: true, MarkdownDescription: "As scripts spell it."},
				"hosts":      schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Hosts that it may be sent to."},
				"updated_at": schema.StringAttribute{Computed: true, MarkdownDescription: "When it was written last."},
			},
		},
		find: func(ctx context.Context, client *api.Client, given arguments, found *model.StoredSecret) error {
			stored, err := findStored(ctx, client, given["name"])
			if err != nil {
				return err
			}
			if stored == nil {
				return &unknownName{"secret", given["name"]}
			}
			*found = *stored
			return nil
		},
	}}
}

func findIdentity() datasource.DataSource {
	text := func(says string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: says}
	}
	key := func(says string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, Computed: true, MarkdownDescription: says}
	}
	return &looked[model.Identity]{lookup: lookup[model.Identity]{
		name: "identity", noun: "identity", oneOf: []string{"id", "email"},
		schema: schema.Schema{
			MarkdownDescription: "Looks a person or a non-human identity up by its e-mail, handle or id.",
			Attributes: map[string]schema.Attribute{
				"id":           key("The identity's UUID."),
				"email":        key("The person's e-mail, or the non-human identity's handle."),
				"display_name": text("Display name."),
				"kind":         text("`human`, `service_account`, `workload` or `agent`."),
				"owner_id":     text("UUID of the person who owns a non-human identity."),
				"status":       text("`active` or `disabled`."),
			},
		},
		find: func(ctx context.Context, client *api.Client, given arguments, found *model.Identity) error {
			return get(ctx, client, "/identities/", given["id"], given["email"], findIdentityID, found)
		},
	}}
}
