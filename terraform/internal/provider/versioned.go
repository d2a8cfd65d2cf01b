package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"hallpass.internal/terraform-provider-justiam/internal/api"
	"hallpass.internal/terraform-provider-justiam/internal/check"
)

// Identified is embedded in the state of what has an id.
type Identified struct {
	ID *string `json:"id" tfsdk:"id"`
}

func (i *Identified) identified() *Identified { return i }

func (i *Identified) id() string {
	if i.ID == nil {
		return ""
	}
	return *i.ID
}

type versionedModel[M any] interface {
	timedModel[M]
	identified() *Identified
}

// versioned stores objects that have an id and an entity tag.
type versioned[M any, P versionedModel[M]] struct {
	// item is the path of the one with an id, before the id.
	item string
	// collection is where a new one is posted to.
	collection func(*M) string
	// parent is the attribute that the path of the collection names, "" where it names none.
	parent string
	body   func(*M) any
	// find returns the id of the one with a name.
	find func(ctx context.Context, client *api.Client, name string) (string, error)
}

func (v versioned[M, P]) create(ctx context.Context, client *api.Client, planned *M) (string, error) {
	etag, err := v.save(ctx, client, planned, api.Call{Method: http.MethodPost, Path: v.collection(planned)})
	return etag, api.Blame(err, "/"+v.parent)
}

func (v versioned[M, P]) read(ctx context.Context, client *api.Client, state *M, _ string) (string, error) {
	fresh := new(M)
	etag, err := client.Get(ctx, v.pathOf(state), fresh)
	if err == nil && P(fresh).identified().id() != P(state).identified().id() {
		err = api.ErrStrange
	}
	if err == nil && !strings.HasPrefix(etag, `"`) {
		err = errNoETag
	}
	return etag, keep[M, P](state, fresh, err)
}

// errNoETag: without one the next change could overwrite somebody else's, and with a weak one none would ever be made.
var errNoETag = errors.New("the answer has no strong ETag: a proxy between here and Hallpass takes it off or weakens it, where it has to leave it as it is")

func (v versioned[M, P]) update(ctx context.Context, client *api.Client, planned, prior *M, etag string) (string, error) {
	return v.save(ctx, client, planned, api.Call{Method: http.MethodPut, Path: v.pathOf(prior), IfMatch: etag})
}

func (v versioned[M, P]) remove(ctx context.Context, client *api.Client, state *M, etag string) error {
	_, err := client.Send(ctx, api.Call{Method: http.MethodDelete, Path: v.pathOf(state), IfMatch: etag})
	return err
}

func (v versioned[M, P]) locate(ctx context.Context, client *api.Client, text string, state *M) error {
	id, err := idOf(ctx, client, text, v.find)
	P(state).identified().ID = &id
	return err
}

func (v versioned[M, P]) save(ctx context.Context, client *api.Client, planned *M, call api.Call) (string, error) {
	call.Body = v.body(planned)
	answer, err := client.Send(ctx, call)
	if err != nil {
		return "", err
	}
	fresh := new(M)
	err = answer.Decode(fresh)
	if err == nil && P(fresh).identified().id() == "" {
		err = api.ErrStrange
	}
	return answer.ETag, keep[M, P](planned, fresh, err)
}

func (v versioned[M, P]) pathOf(state *M) string {
	return v.item + url.PathEscape(P(state).identified().id())
}

// keep takes over what the server said; timeouts are Terraform's own. A value that was there does not shine through.
func keep[M any, P timedModel[M]](into, fresh *M, err error) error {
	if err != nil {
		return err
	}
	*P(fresh).timed() = *P(into).timed()
	*into = *fresh
	return nil
}

type finder func(ctx context.Context, client *api.Client, name string) (string, error)

// idOf takes an id as it is and looks a name up.
func idOf(ctx context.Context, client *api.Client, text string, find finder) (string, error) {
	if id := strings.ToLower(text); check.IsUUID(id) {
		return id, nil
	}
	return find(ctx, client, text)
}

// named is what lists tell of everything that has a name.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
	Kind string `json:"kind"`
}

// findIn looks through a list. Names are unique; what sentences call the thing is noun.
func findIn(path, noun string, matches func(each named, name string) bool) finder {
	return func(ctx context.Context, client *api.Client, name string) (string, error) {
		found, err := api.Find(ctx, client, path, func(each named) bool { return matches(each, name) })
		if err != nil {
			return "", err
		}
		if found == nil {
			return "", &unknownName{noun, name}
		}
		return found.ID, nil
	}
}

// unknownName: there may be one that the provider's identity does not see.
type unknownName struct{ noun, name string }

func (u *unknownName) Error() string { return fmt.Sprintf("There is no %s named %q.", u.noun, u.name) }

func hasName(each named, name string) bool { return each.Name == name }
