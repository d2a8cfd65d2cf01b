package provider

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

// refuse tells why something was not done: at the attribute that the server names, else of the whole resource.
func (k kind[M]) refuse(err error, done string) diag.Diagnostics {
	return k.refuseTo(err, titleOf(err, k.noun, done))
}

// refuseDeletion names what stays: Terraform tells no address then.
func (k kind[M]) refuseDeletion(ctx context.Context, err error, state tfsdk.State) diag.Diagnostics {
	label := "name"
	if _, hasName := k.schema.Attributes[label]; !hasName {
		label = "id"
	}
	var name types.String
	found := state.GetAttribute(ctx, path.Root(label), &name)
	return append(found, k.refuseTo(err, titleOf(err, fmt.Sprintf("%s %q", k.noun, name.ValueString()), "deleted"))...)
}

func titleOf(err error, what, done string) string {
	if api.IsLost(err) {
		return fmt.Sprintf("Whether the %s was %s is not known", what, done)
	}
	return fmt.Sprintf("The %s was not %s", what, done)
}

func (k kind[M]) refuseTo(err error, title string) (found diag.Diagnostics) {
	var problem *api.Problem
	if !errors.As(err, &problem) || api.IsLost(err) {
		found.AddError(title, explain(err))
		return found
	}
	detail := err.Error()
	if advice := k.advise(problem); advice != "" {
		detail += "\n\n" + advice
	}
	for _, each := range problem.Errors {
		if at, within, ok := k.attributeAt(each.Pointer); ok {
			found.AddAttributeError(at, title, strings.TrimSpace(within+" "+each.Detail)+".\n\n"+detail)
		}
	}
	if !found.HasError() {
		found.AddError(title, detail)
	}
	return found
}

// explain tells an error that is none of a field, with what a person can do about it.
func explain(err error) string {
	var problem *api.Problem
	switch {
	case api.IsLost(err):
		return err.Error() + "\n\nThe call was sent, and its answer was lost. Run terraform plan again to see what became of it. What was created is not in the state: import it."
	case errors.Is(err, context.DeadlineExceeded):
		return err.Error() + "\n\nThe time was over; the timeouts block gives more."
	case errors.As(err, &problem) && callers[problem.Code] != "":
		return err.Error() + "\n\n" + callers[problem.Code]
	}
	return err.Error()
}

// callers is what the caller can do about refusals that are not about the object.
var callers = map[string]string{
	"forbidden":       "The provider's identity has to be in a group with that permission.",
	"unauthenticated": "Check the provider's token or client credentials: a token may have run out.",
}

// advise says what a person can do about a refusal.
func (k kind[M]) advise(problem *api.Problem) string {
	switch problem.Code {
	case "precondition_failed":
		return fmt.Sprintf("Somebody else changed this %s after Terraform read it, and nothing was overwritten. Run terraform plan again to see what it is now.", k.noun)
	case "template_in_use":
		return "A template can be deleted once its requests are decided and their access has ended: revoke them, or wait."
	case "in_use":
		return fmt.Sprintf("Take the %s out of what refers to it first. Where the same run does that, set lifecycle { create_before_destroy = true } on the %s.", k.noun, k.noun)
	case "name_taken":
		return fmt.Sprintf("To manage the one that there is, import it: terraform import justiam_%s.<name> <its name or id>.", k.name)
	case "not_found":
		if len(problem.Errors) > 0 {
			return ""
		}
		return fmt.Sprintf("If this %s was deleted outside of Terraform, plan again.", k.noun)
	}
	return callers[problem.Code]
}

// attributeAt finds the attribute that a JSON pointer is about. What the pointer says beyond it, as inside of a JSON
// text, is told in words.
func (k kind[M]) attributeAt(pointer string) (at path.Path, within string, ok bool) {
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for index, token := range tokens {
		tokens[index] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	name := tokens[0]
	if renamed, is := k.renamed[name]; is {
		name = renamed
	}
	attribute, ok := k.schema.Attributes[name]
	if !ok {
		return path.Empty(), "", false
	}
	at, rest := path.Root(name), tokens[1:]
	switch attribute.GetType().(type) {
	case types.ListType:
		if len(rest) > 0 {
			if index, err := strconv.Atoi(rest[0]); err == nil {
				at, rest = at.AtListIndex(index), rest[1:]
			}
		}
	case types.MapType:
		if len(rest) > 0 {
			at, rest = at.AtMapKey(rest[0]), rest[1:]
		}
	}
	return at, strings.Join(rest, "/"), true
}
