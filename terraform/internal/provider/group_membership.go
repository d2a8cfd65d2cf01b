package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"hallpass.internal/terraform-provider-justiam/internal/api"
	"hallpass.internal/terraform-provider-justiam/internal/check"
	"hallpass.internal/terraform-provider-justiam/internal/model"
)

type membershipData struct {
	Identified
	GroupID    string `tfsdk:"group_id"`
	IdentityID string `tfsdk:"identity_id"`
	model.Membership
}

type membershipModel struct {
	Timed
	membershipData
}

func newGroupMembership() resource.Resource {
	return &managed[membershipModel, *membershipModel]{kind: kind[membershipModel]{
		name: "group_membership", noun: "membership", store: memberships{}, checkPlan: checkMembershipPlan,
		schema: membershipSchema(),
	}}
}

func membershipSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "An identity's place in a standing group. One that has ended at its `expires_at` stays in the state as it was, and nothing is planned.",
		Attributes: map[string]schema.Attribute{
			"id":          idAttribute("`GROUP_ID/IDENTITY_ID`."),
			"group_id":    fixed("UUID of the group.", check.UUID()),
			"identity_id": fixed("UUID of the person or non-human identity.", check.UUID()),
			"expires_at": schema.StringAttribute{
				CustomType: model.InstantType{}, Optional: true,
				MarkdownDescription: "When it ends, in RFC 3339. Absent: never.",
				Validators:          []validator.String{check.Instant()},
				PlanModifiers:       []planmodifier.String{keepSpelling{}},
			},
		},
	}
}

// checkMembershipPlan refuses a new membership, or a new end, that has passed.
func checkMembershipPlan(ctx context.Context, _ *api.Client, request resource.ModifyPlanRequest) (found diag.Diagnostics) {
	var end model.Instant
	found.Append(request.Plan.GetAttribute(ctx, path.Root("expires_at"), &end)...)
	if model.IsPast(end) {
		found.AddAttributeError(path.Root("expires_at"), "Already over", "The membership would have ended already: remove the resource instead.")
	}
	return found
}

// memberships are either there or not: they have no entity tag, so what is there is looked at before it is changed.
type memberships struct{}

func (m membershipData) members() string { return "/groups/" + url.PathEscape(m.GroupID) + "/members" }
func (m membershipData) path() string    { return m.members() + "/" + url.PathEscape(m.IdentityID) }

func (m membershipData) find(ctx context.Context, client *api.Client) (*model.Member, error) {
	return api.Find(ctx, client, m.members(), func(each model.Member) bool { return each.IdentityID == m.IdentityID })
}

func (m *membershipData) identify() {
	id := m.GroupID + "/" + m.IdentityID
	m.ID = &id
}

func (memberships) create(ctx context.Context, client *api.Client, planned *membershipModel) (string, error) {
	found, err := planned.find(ctx, client)
	if err != nil {
		return "", api.Blame(err, "/group_id")
	}
	if found != nil {
		return "", fmt.Errorf("%s is a member already. To manage that membership, import it: terraform import justiam_group_membership.<name> %s/%s",
			found.Email, planned.GroupID, planned.IdentityID)
	}
	planned.identify()
	_, err = client.Send(ctx, api.Call{Method: http.MethodPut, Path: planned.path(), Body: planned.Membership})
	return "", api.Blame(err, "/identity_id")
}

func (memberships) read(ctx context.Context, client *api.Client, state *membershipModel, _ string) (string, error) {
	state.identify()
	found, err := state.find(ctx, client)
	if err != nil {
		return "", err
	}
	if found != nil {
		state.ExpiresAt = found.ExpiresAt
		return "", nil
	}
	if model.IsPast(state.ExpiresAt) {
		return "", nil
	}
	return "", api.Missing("There is no such membership.")
}

func (memberships) update(ctx context.Context, client *api.Client, planned, prior *membershipModel, _ string) (string, error) {
	found, err := prior.find(ctx, client)
	if err != nil {
		return "", err
	}
	if found == nil && !model.IsPast(prior.ExpiresAt) {
		return "", api.Missing("There is no such membership any more.")
	}
	if found != nil && !found.ExpiresAt.Means(prior.ExpiresAt) {
		return "", api.Conflict("The membership ends at another time than Terraform has read.")
	}
	planned.identify()
	_, err = client.Send(ctx, api.Call{Method: http.MethodPut, Path: planned.path(), Body: planned.Membership})
	return "", err
}

func (memberships) remove(ctx context.Context, client *api.Client, state *membershipModel, _ string) error {
	_, err := client.Send(ctx, api.Call{Method: http.MethodDelete, Path: state.path()})
	return err
}

// locate takes GROUP/IDENTITY, each an id or a name; an identity's name is its e-mail or handle.
func (memberships) locate(ctx context.Context, client *api.Client, text string, state *membershipModel) (err error) {
	at := strings.LastIndex(text, "/")
	if at < 0 {
		return fmt.Errorf("name a membership as GROUP/IDENTITY, by ids or by the group's name and the identity's e-mail; %q is neither", text)
	}
	if state.GroupID, err = idOf(ctx, client, text[:at], findGroupID); err != nil {
		return err
	}
	state.IdentityID, err = idOf(ctx, client, text[at+1:], findIdentityID)
	return err
}

// findIdentityID takes an e-mail or handle, in any case.
var findIdentityID finder = func(ctx context.Context, client *api.Client, email string) (string, error) {
	found, err := api.Find(ctx, client, "/identities", func(each model.Identity) bool { return strings.EqualFold(each.Email, email) })
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", &unknownName{"identity", email}
	}
	return found.ID, nil
}
