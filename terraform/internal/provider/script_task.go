package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/check"
	"hallpass.internal/terraform-provider-justiam/internal/model"
)

type scriptTaskData struct {
	Identified
	model.ScriptTask
	model.ScriptTaskFacts
}

type scriptTaskModel struct {
	Timed
	scriptTaskData
}

var findScriptTaskID = findIn("/scheduled-tasks", "script task", hasName)

func newScriptTask() resource.Resource {
	return &managed[scriptTaskModel, *scriptTaskModel]{kind: kind[scriptTaskModel]{
		name: "scheduled_task", noun: "script task", schema: scriptTaskSchema(), checkConfig: checkSchedule,
		store: versioned[scriptTaskModel, *scriptTaskModel]{
			item:       "/scheduled-tasks/",
			collection: func(*scriptTaskModel) string { return "/scheduled-tasks" },
			body:       func(m *scriptTaskModel) any { return m.ScriptTask },
			find:       findScriptTaskID,
		},
	}}
}

func scriptTaskSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A script that runs when a template or an event fires it, on a schedule, or by hand. Every change is a new version. " +
			"It cannot be deleted while a template, an open request or an event that is still to be told uses it.",
		Attributes: map[string]schema.Attribute{
			"id":               idAttribute("The task's UUID, assigned by the server."),
			"name":             required("Display name, unique.", check.Name()),
			"task_type":        oneOf("What is run.", check.TaskTypes, "script"),
			"schedule_type":    oneOf("When it runs by itself: `once` is only when it is fired or run by hand.", check.ScheduleTypes, "once"),
			"interval_seconds": optionalNumber("Seconds between two runs, for `interval`: 10 to a year.", int64validator.Between(10, 31_536_000)),
			"cron_expression":  optional("Minute, hour, day of month, month and day of week, for `cron`.", check.All(check.Text(1, 200), check.Cron())),
			"timezone":         optional("Time zone of the cron expression, such as `Europe/London`. Absent: UTC.", check.All(check.Text(1, 100), check.Timezone())),
			"script":           required("The source, JavaScript or TypeScript: an ES module that exports `run`.", check.Text(1, 262_144)),
			"events":           list(types.StringType, "Events that fire it, any of `"+strings.Join(check.IntegrationEvents, "`, `")+"`.", listvalidator.UniqueValues(), listvalidator.ValueStringsAre(stringvalidator.OneOf(check.IntegrationEvents...))),
			"max_retries":      number("How often a failed run is tried again, where runs are.", 3, int64validator.Between(0, 100)),
			"timeout_seconds":  number("How long a run may take, at most 300; as a `block` script it has at most 30.", 30, int64validator.Between(1, 300)),
			"enabled":          flag("Whether it runs. The product disables a task that keeps failing; the next apply enables it again.", true),
			"config":           configAttribute(),
			"egress_hosts": list(types.StringType, "Where its calls may go: `host`, `*.host` or `host:port`. Empty: nowhere.",
				listvalidator.SizeAtMost(100), listvalidator.ValueStringsAre(check.Text(1, 300), check.EgressHost())),
			"version":         schema.Int64Attribute{Computed: true, MarkdownDescription: "The version that runs."},
			"disabled_reason": schema.StringAttribute{Computed: true, MarkdownDescription: "Why the product itself has disabled it."},
		},
	}
}

func configAttribute() schema.MapAttribute {
	return schema.MapAttribute{
		Optional: true, Computed: true, ElementType: types.StringType,
		MarkdownDescription: "What `config.get` tells the script, besides what fired it. Nothing secret: see `justiam_secret`.",
		Default:             mapdefault.StaticValue(types.MapValueMust(types.StringType, map[string]attr.Value{})),
		Validators: []validator.Map{
			mapvalidator.NoNullValues(), mapvalidator.KeysAre(check.Text(1, 200)), mapvalidator.ValueStringsAre(check.Text(0, 10_000)),
		},
	}
}

// belongs says which schedule each of these arguments is for.
var belongs = map[string]string{"interval_seconds": "interval", "cron_expression": "cron", "timezone": "cron"}

func checkSchedule(ctx context.Context, config tfsdk.Config) (found diag.Diagnostics) {
	var schedule, cron, timezone types.String
	var interval types.Int64
	found.Append(config.GetAttribute(ctx, path.Root("schedule_type"), &schedule)...)
	found.Append(config.GetAttribute(ctx, path.Root("interval_seconds"), &interval)...)
	found.Append(config.GetAttribute(ctx, path.Root("cron_expression"), &cron)...)
	found.Append(config.GetAttribute(ctx, path.Root("timezone"), &timezone)...)
	if schedule.IsUnknown() {
		return found
	}
	is := schedule.ValueString()
	for name, value := range map[string]attr.Value{"interval_seconds": interval, "cron_expression": cron, "timezone": timezone} {
		if !value.IsNull() && !value.IsUnknown() && belongs[name] != is {
			found.AddAttributeError(path.Root(name), "Not for this schedule", name+" belongs to schedule_type "+belongs[name]+".")
		}
		if value.IsNull() && belongs[name] == is && name != "timezone" {
			found.AddAttributeError(path.Root(name), "Missing for this schedule", name+" is needed for schedule_type "+is+".")
		}
	}
	return found
}
