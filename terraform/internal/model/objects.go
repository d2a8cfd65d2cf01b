// Package model holds the objects of the API as Terraform sees them: one struct is the body that is sent, the answer
// that is read, and the arguments of the resource.
package model

// Template is what an admin writes of a template.
type Template struct {
	Name                   string       `json:"name" tfsdk:"name"`
	Description            string       `json:"description" tfsdk:"description"`
	AppID                  string       `json:"app_id" tfsdk:"app_id"`
	MappingIDs             []string     `json:"mapping_ids" tfsdk:"mapping_ids"`
	AllowedDurations       []int64      `json:"allowed_durations" tfsdk:"allowed_durations"`
	ApproverGroupIDs       []string     `json:"approver_group_ids" tfsdk:"approver_group_ids"`
	AllowedGroupIDs        []string     `json:"allowed_group_ids" tfsdk:"allowed_group_ids"`
	PreferRequesterGroups  bool         `json:"prefer_requester_groups" tfsdk:"prefer_requester_groups"`
	RequireJustification   bool         `json:"require_justification" tfsdk:"require_justification"`
	AutoApprove            bool         `json:"auto_approve" tfsdk:"auto_approve"`
	NotificationPolicy     string       `json:"notification_policy" tfsdk:"notification_policy"`
	NotificationCount      int64        `json:"notification_count" tfsdk:"notification_count"`
	EscalationAfterMins    *int64       `json:"escalation_after_mins" tfsdk:"escalation_after_mins"`
	EscalationGroupID      *string      `json:"escalation_group_id" tfsdk:"escalation_group_id"`
	CustomFields           CustomFields `json:"custom_fields" tfsdk:"custom_fields"`
	TriggerTaskID          *string      `json:"trigger_task_id" tfsdk:"trigger_task_id"`
	TriggerTaskFailureMode string       `json:"trigger_task_failure_mode" tfsdk:"trigger_task_failure_mode"`
}

// ScriptTask is what an admin writes of a script task.
type ScriptTask struct {
	Name            string            `json:"name" tfsdk:"name"`
	TaskType        string            `json:"task_type" tfsdk:"task_type"`
	ScheduleType    string            `json:"schedule_type" tfsdk:"schedule_type"`
	IntervalSeconds *int64            `json:"interval_seconds" tfsdk:"interval_seconds"`
	CronExpression  *string           `json:"cron_expression" tfsdk:"cron_expression"`
	Timezone        *string           `json:"timezone" tfsdk:"timezone"`
	Script          string            `json:"script" tfsdk:"script"`
	Events          []string          `json:"events" tfsdk:"events"`
	MaxRetries      int64             `json:"max_retries" tfsdk:"max_retries"`
	TimeoutSeconds  int64             `json:"timeout_seconds" tfsdk:"timeout_seconds"`
	Enabled         bool              `json:"enabled" tfsdk:"enabled"`
	Config          map[string]string `json:"config" tfsdk:"config"`
	EgressHosts     []string          `json:"egress_hosts" tfsdk:"egress_hosts"`
}

// ScriptTaskFacts is what the server adds to a script task.
type ScriptTaskFacts struct {
	Version        *int64  `json:"version" tfsdk:"version"`
	DisabledReason *string `json:"disabled_reason" tfsdk:"disabled_reason"`
}

// Application is what an admin writes of an application.
type Application struct {
	Name         string  `json:"name" tfsdk:"name"`
	Slug         string  `json:"slug" tfsdk:"slug"`
	Description  string  `json:"description" tfsdk:"description"`
	OwnerGroupID *string `json:"owner_group_id" tfsdk:"owner_group_id"`
}

// AppMapping is what an admin writes of a mapping.
type AppMapping struct {
	Name           string `json:"name" tfsdk:"name"`
	Claim          string `json:"claim" tfsdk:"claim"`
	Value          string `json:"value" tfsdk:"value"`
	PrivilegeLevel string `json:"privilege_level" tfsdk:"privilege_level"`
}

// AppMappingFacts is what the address of a mapping's creation says.
type AppMappingFacts struct {
	AppID string `json:"app_id" tfsdk:"app_id"`
}

// Group is what an admin writes of a group.
type Group struct {
	Name        string   `json:"name" tfsdk:"name"`
	Description string   `json:"description" tfsdk:"description"`
	Permissions []string `json:"permissions" tfsdk:"permissions"`
}

// GroupFacts is what the server adds to a group.
type GroupFacts struct {
	MappingIDs []string `json:"mapping_ids" tfsdk:"mapping_ids"`
}

// Membership is what an admin writes of a membership.
type Membership struct {
	ExpiresAt Instant `json:"expires_at" tfsdk:"expires_at"`
}

// Member is one entry of a group's list of members.
type Member struct {
	IdentityID string  `json:"identity_id"`
	Email      string  `json:"email"`
	ExpiresAt  Instant `json:"expires_at"`
}

// Secret is what an admin writes of a secret.
type Secret struct {
	Value string   `json:"value" tfsdk:"value_wo"`
	Hosts []string `json:"hosts" tfsdk:"hosts"`
}

// StoredSecret is what the API tells of a secret.
type StoredSecret struct {
	Name      string   `json:"name" tfsdk:"name"`
	Hosts     []string `json:"hosts" tfsdk:"hosts"`
	UpdatedAt string   `json:"updated_at" tfsdk:"updated_at"`
}

// Identity is what is read of a person or a non-human identity.
type Identity struct {
	ID          string  `json:"id" tfsdk:"id"`
	Email       string  `json:"email" tfsdk:"email"`
	DisplayName string  `json:"display_name" tfsdk:"display_name"`
	Kind        string  `json:"kind" tfsdk:"kind"`
	OwnerID     *string `json:"owner_id" tfsdk:"owner_id"`
	Status      string  `json:"status" tfsdk:"status"`
}
