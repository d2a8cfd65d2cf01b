package provider

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

// answering is a client of a server that knows these answers, and says of all else that it is not there.
func answering(t *testing.T, answers map[string]string) *api.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = `{"code":"not_found","detail":"There is nothing at this address."}`
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	client, wrong := api.New(api.Config{Endpoint: server.URL, Token: "a-token"})
	if wrong != nil {
		t.Fatal(wrong)
	}
	return client
}

func groups() *managed[groupModel, *groupModel] {
	return newGroup().(*managed[groupModel, *groupModel])
}

func TestWhatIsNotFoundIsGoneWhereTheAPISaysSo(t *testing.T) {
	missing := api.Missing("There is no such group.")
	for _, each := range []struct {
		answers map[string]string
		err     error
		isGone  bool
	}{
		{map[string]string{"GET /api/v1/me": `{"id":"me"}`}, missing, true},
		{map[string]string{"GET /api/v1/me": `{}`}, missing, false},
		{map[string]string{}, missing, false},
		{map[string]string{"GET /api/v1/me": `{"id":"me"}`}, api.Conflict("Changed."), false},
		{map[string]string{}, nil, false},
	} {
		it := groups()
		it.client = answering(t, each.answers)
		if found := it.confirmGone(t.Context(), each.err); errors.Is(found, errGone) != each.isGone || (found == nil) != (each.err == nil) {
			t.Errorf("%v: %v", each.answers, found)
		}
	}
}

func TestAnAnswerAboutSomethingElseIsNotTaken(t *testing.T) {
	id, group := "1", "2"
	client := answering(t, map[string]string{
		"POST /api/v1/groups": `{}`, "PUT /api/v1/groups/1": `{}`, "GET /api/v1/groups/1": `{"id":"2"}`, "PUT /api/v1/secrets/A": `{}`,
	})
	state := func() *groupModel { return &groupModel{groupData: groupData{Identified: Identified{ID: &id}}} }
	it := groups().store
	_, created := it.create(t.Context(), client, state())
	_, read := it.read(t.Context(), client, state(), "")
	_, changed := it.update(t.Context(), client, state(), state(), "")
	_, written := secrets{}.write(t.Context(), client, &secretModel{Name: "A", Value: &group})
	for name, err := range map[string]error{"created": created, "read": read, "changed": changed, "written": written} {
		if !errors.Is(err, api.ErrStrange) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatHasNoStrongEntityTagIsNotManaged(t *testing.T) {
	id := "1"
	for etag, isTaken := range map[string]bool{`"3"`: true, "": false, `W/"3"`: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", etag)
			_, _ = w.Write([]byte(`{"id":"1"}`))
		}))
		client, _ := api.New(api.Config{Endpoint: server.URL, Token: "a-token"})
		state := &groupModel{groupData: groupData{Identified: Identified{ID: &id}}}
		seen, err := groups().store.read(t.Context(), client, state, "")
		if (err == nil) != isTaken || (isTaken && seen != etag) {
			t.Errorf("%q: %v", etag, err)
		}
		server.Close()
	}
}

func TestAnEntityTagIsKeptAsItIs(t *testing.T) {
	for _, etag := range []string{``, `"3"`, `"a\b"`, "\"\u00e9\x7f\"", `"<&>"`} {
		if got := unquote(quote(etag)); got != etag {
			t.Errorf("%q became %q", etag, got)
		}
	}
}

func TestAnIDIsImportedInAnyCase(t *testing.T) {
	const id = "01a206fa-c26e-71f7-accd-11304130632c"
	if found, err := idOf(t.Context(), nil, strings.ToUpper(id), nil); found != id || err != nil {
		t.Errorf("%s, %v", found, err)
	}
}

func TestADataSourceTakesNoOthersAnswer(t *testing.T) {
	for body, isTaken := range map[string]bool{`{"id":"2"}`: false, `{}`: false, `[]`: false, `{"id":"a1"}`: true} {
		client := answering(t, map[string]string{"GET /api/v1/groups/A1": body})
		var found groupData
		if err := get(t.Context(), client, "/groups/", "A1", "", nil, &found); (err == nil) != isTaken {
			t.Errorf("%s: %v", body, err)
		}
	}
}

type noPrivate struct{ private }

func (noPrivate) GetKey(context.Context, string) ([]byte, diag.Diagnostics) { return nil, nil }

func TestAStateIsReadThatIsOlderThanAnArgument(t *testing.T) {
	for _, make := range New("test")().Resources(t.Context()) {
		switch it := make().(type) {
		case *managed[templateModel, *templateModel]:
			readNothing(t, it)
		case *managed[scriptTaskModel, *scriptTaskModel]:
			readNothing(t, it)
		case *managed[groupModel, *groupModel]:
			readNothing(t, it)
		case *managed[secretModel, *secretModel]:
			readNothing(t, it)
		}
	}
}

// readNothing reads a state in which no argument is that has a default, and the others are empty.
func readNothing[M any, P timedModel[M]](t *testing.T, it *managed[M, P]) {
	t.Helper()
	var described resource.SchemaResponse
	it.Schema(t.Context(), resource.SchemaRequest{}, &described)
	of := described.Schema
	kinds := of.Type().TerraformType(t.Context()).(tftypes.Object)
	values := map[string]tftypes.Value{}
	for name, kind := range kinds.AttributeTypes {
		values[name] = tftypes.NewValue(kind, nil)
		if attribute, is := of.GetAttributes()[name]; is && attribute.IsRequired() && kind.Is(tftypes.String) {
			values[name] = tftypes.NewValue(kind, "")
		}
	}
	state := tfsdk.State{Schema: of, Raw: tftypes.NewValue(kinds, values)}
	if _, _, found := it.readState(t.Context(), state, noPrivate{}); found.HasError() {
		t.Errorf("%s: %v", it.name, found)
	}
}

func TestWhatIsMissingStandsAtTheArgumentThatNamesIt(t *testing.T) {
	it := newAppMapping().(*managed[appMappingModel, *appMappingModel])
	planned := &appMappingModel{}
	planned.AppID = "1"
	_, err := it.store.create(t.Context(), answering(t, nil), planned)
	found := it.refuse(err, "created")
	if len(found) != 1 || strings.Contains(found[0].Detail(), "plan again") {
		t.Fatal(found)
	}
	if at, is := found[0].(interface{ Path() path.Path }); !is || !at.Path().Equal(path.Root("app_id")) {
		t.Error(found)
	}
}

func TestACallWhoseAnswerWasLostIsNotCalledUndone(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		interrupt()
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = connection.Close()
		}
	}))
	t.Cleanup(server.Close)
	client, _ := api.New(api.Config{Endpoint: server.URL, Token: "a-token"})
	_, err := client.Send(ctx, api.Call{Method: http.MethodPost, Path: "/groups"})
	found := groups().refuse(err, "created")
	if found[0].Summary() != "Whether the group was created is not known" || !strings.Contains(found[0].Detail(), "import it") {
		t.Error(found)
	}
	_, err = client.Send(ctx, api.Call{Method: http.MethodPost, Path: "/groups"})
	if found := groups().refuse(err, "created"); !strings.Contains(found[0].Summary(), "was not created") {
		t.Errorf("nothing was sent: %v", found)
	}
}

func TestALossIsToldThoughTheLastAttemptWasRefused(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"code":"unauthenticated","detail":"The token is over."}`))
	}))
	t.Cleanup(server.Close)
	client, _ := api.New(api.Config{Endpoint: server.URL, Token: "a-token"})
	_, err := client.Send(t.Context(), api.Call{Method: http.MethodPost, Path: "/groups"})
	found := groups().refuse(err, "created")[0]
	if !strings.Contains(found.Summary(), "is not known") || !strings.Contains(found.Detail(), "The token is over.\n\nThe call was sent") {
		t.Error(found)
	}
}

func TestCredentialsHoldNoBlanks(t *testing.T) {
	for _, config := range []api.Config{
		{Endpoint: "https://a", Token: "a-token\n"}, {Endpoint: "https://a", Token: "  "},
		{Endpoint: "https://a", ClientID: "id ", ClientSecret: "secret"}, {Endpoint: "https://a", ClientID: "id", ClientSecret: "secret\r\n"},
	} {
		found := refuseConfig(config)
		if len(found) != 1 || !strings.Contains(found[0].Detail(), "trimspace()") || strings.Contains(found[0].Detail(), "secret\r") {
			t.Errorf("%q: %v", config, found)
		}
	}
	if found := refuseConfig(api.Config{Endpoint: "https://a", Token: "a-token"}); found.HasError() {
		t.Error(found)
	}
}
