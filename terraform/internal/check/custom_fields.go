package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hallpass.internal/terraform-provider-justiam/internal/model"
)

// CustomFields is the JSON of a template's custom fields.
func CustomFields() Rule {
	return Rule{Says: "a JSON array of custom fields", Find: findInCustomFields}
}

func findInCustomFields(text string) string {
	fields, err := model.ParseCustomFields(text)
	switch {
	case err != nil:
		return err.Error()
	case len(fields) > 50:
		return "must have at most 50 fields"
	}
	labels, ids := []string{}, []string{}
	for index, field := range fields {
		if wrong := findInField(field); wrong != "" {
			return fmt.Sprintf("has a mistake in field %d (%q): %s", index, field.Label, wrong)
		}
		labels = append(labels, field.Label)
		if field.ID != "" {
			ids = append(ids, field.ID)
		}
	}
	return cmp.Or(findTwice("label", labels), findTwice("id", ids))
}

func findInField(field model.CustomField) string {
	hasOptions := field.Type == "select" || field.Type == "multi_select"
	switch {
	case findInName(field.Label) != "":
		return "label " + findInName(field.Label)
	case !slices.Contains(FieldTypes, field.Type):
		return "type must be one of " + strings.Join(FieldTypes, ", ")
	case hasOptions != (len(field.Options) > 0):
		return "options are needed for select and multi_select, and the other types take none"
	case len(field.Options) > 200:
		return "options must be at most 200"
	case field.ID != "" && !IsUUID(field.ID):
		return "id " + UUID().Find(field.ID)
	}
	for _, option := range field.Options {
		if wrong := findInName(option); wrong != "" {
			return fmt.Sprintf("the option %q %s", option, wrong)
		}
	}
	if wrong := Text(0, 500).Find(field.Placeholder); wrong != "" {
		return "placeholder " + wrong
	}
	return findTwice("option", field.Options)
}

func findTwice(what string, values []string) string {
	for index, value := range values {
		if slices.Contains(values[:index], value) {
			return fmt.Sprintf("has the %s %q twice", what, value)
		}
	}
	return ""
}
