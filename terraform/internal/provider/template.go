package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
	"hallpass.internal/terraform-provider-justiam/internal/check"
	"hallpass.internal/terraform-provider-justiam/internal/model"
)

const (
	maxInteger = 2_147_483_647
	// maxDuration is ten years of minutes, maxEscalation one.
	maxDuration   = 5_256_000
	maxEscalation = 525_600
	// blockSeconds is how long an approval waits for a script in the mode block.
	blockSeconds = 30
)

type templateData struct {
	Identified
	model.Template
}

type templateModel struct {
	Timed
	templateData
}

var findTemplateID = findIn("/access-request-templates", "template", hasName)

func newTemplate() resource.Resource {
	return &managed[templateModel, *templateModel]{kind: kind[templateModel]{
		name: "access_request_template", noun: "template", schema: templateSchema(),
		checkConfig: checkTemplateConfig, checkPlan: checkTemplatePlan,
		store: versioned[templateModel, *templateModel]{
			item:       "/access-request-templates/",
			collection: func(*templateModel) string { return "/access-request-templates" },
			body:       func(m *templateModel) any { return m.Template },
			find:       findTemplateID,
		},
	}}
}

func templateSchema() schema.Schema {
	minutes := []validator.List{
		listvalidator.SizeAtMost(100), listvalidator.UniqueValues(),
		listvalidator.ValueInt64sAre(int64validator.Between(1, maxDuration)),
	}
	return schema.Schema{
		MarkdownDescription: "One kind of access that can be asked for: what is granted, who may ask, who decides, for how long, who is told. " +
			"Requests that exist keep the template as it was when they were submitted. It cannot be deleted while one of them is pending or approved.",
		Attributes: map[string]schema.Attribute{
			"id":                      idAttribute("The template's UUID, assigned by the server."),
			"name":                    required("Display name, unique.", check.Name()),
			"description":             description("Shown to requesters."),
			"app_id":                  fixed("UUID of the application that access is given to.", check.UUID()),
			"mapping_ids":             ids("UUIDs of the mappings that are granted, each of that application.", 200),
			"allowed_durations":       list(types.Int64Type, "Durations in minutes that can be asked for. Empty: any, up to the server's longest.", minutes...),
			"approver_group_ids":      ids("UUIDs of the groups that may decide. Empty: the admins.", 100),
			"allowed_group_ids":       ids("UUIDs of the groups that may ask. Empty: anyone.", 100),
			"prefer_requester_groups": flag("Prefer approvers who share a group with the requester.", false),
			"require_justification":   flag("Whether a request needs a justification.", true),
			"auto_approve":            flag("Whether requests are approved at once.", false),
			"notification_policy":     oneOf("Which approvers are told.", check.NotificationPolicies, "all"),
			"notification_count":      number("How many are told, for `first_n`, `random_n` and `round_robin`.", 1, int64validator.Between(1, maxInteger)),
			"escalation_after_mins":   optionalNumber("Minutes after which an undecided request escalates. Goes with `escalation_group_id`.", int64validator.Between(1, maxEscalation)),
			"escalation_group_id":     optional("UUID of the group that may then decide too.", check.UUID()),
			"custom_fields":           customFieldsAttribute(),
			"trigger_task_id":         optional("UUID of the script task that every change of a request's status fires.", check.UUID()),
			"trigger_task_failure_mode": oneOf("What happens where the script fails. `block` needs `trigger_task_id`: it runs before an approval, "+
				"which waits at most 30 seconds and does not happen where it fails.", check.FailureModes, "ignore"),
		},
	}
}

func customFieldsAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		CustomType: model.CustomFieldsType{}, Optional: true, Computed: true, Default: stringdefault.StaticString("[]"),
		MarkdownDescription: "Extra questions, as a JSON array of objects with `label`, `type` (one of `" + strings.Join(check.FieldTypes, "`, `") + "`), " +
			"`required`, `placeholder` and `options`. Compared by meaning. The server gives each an id, which a field keeps as long as its label stays; " +
			"an `id` may be given too.",
		Validators:    []validator.String{check.CustomFields()},
		PlanModifiers: []planmodifier.String{keepSpelling{}},
	}
}

func checkTemplateConfig(ctx context.Context, config tfsdk.Config) (found diag.Diagnostics) {
	var after types.Int64
	var group, task, mode types.String
	found.Append(config.GetAttribute(ctx, path.Root("escalation_after_mins"), &after)...)
	found.Append(config.GetAttribute(ctx, path.Root("escalation_group_id"), &group)...)
	found.Append(config.GetAttribute(ctx, path.Root("trigger_task_id"), &task)...)
	found.Append(config.GetAttribute(ctx, path.Root("trigger_task_failure_mode"), &mode)...)
	isKnown := !after.IsUnknown() && !group.IsUnknown()
	if isKnown && after.IsNull() != group.IsNull() {
		found.AddAttributeError(path.Root("escalation_group_id"), "Half an escalation",
			"escalation_after_mins and escalation_group_id go together: both or neither.")
	}
	if mode.ValueString() == "block" && task.IsNull() {
		found.AddAttributeError(path.Root("trigger_task_failure_mode"), "Nothing to block with",
			"The mode block needs a trigger_task_id: without one nothing could ever let an approval pass.")
	}
	return found
}

// checkTemplatePlan warns of a script that could not do as a block script. It may change in the same run, so that
// nothing is refused.
func checkTemplatePlan(ctx context.Context, client *api.Client, request resource.ModifyPlanRequest) (found diag.Diagnostics) {
	var task, mode types.String
	found.Append(request.Plan.GetAttribute(ctx, path.Root("trigger_task_id"), &task)...)
	found.Append(request.Plan.GetAttribute(ctx, path.Root("trigger_task_failure_mode"), &mode)...)
	if mode.ValueString() != "block" || task.ValueString() == "" {
		return found
	}
	var kept scriptTaskData
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, err := client.Get(ctx, "/scheduled-tasks/"+task.ValueString(), &kept); err != nil {
		return found
	}
	at := path.Root("trigger_task_failure_mode")
	if kept.TimeoutSeconds > blockSeconds {
		found.AddAttributeWarning(at, "The script is cut short",
			fmt.Sprintf("The script task %q may take %d seconds, but an approval waits for at most %d: set its timeout_seconds to %d or less.",
				kept.Name, kept.TimeoutSeconds, blockSeconds, blockSeconds))
	}
	if !kept.Enabled {
		found.AddAttributeWarning(at, "The script is disabled",
			fmt.Sprintf("The script task %q is disabled: in the mode block nothing can be approved until it is enabled.", kept.Name))
	}
	return found
}
