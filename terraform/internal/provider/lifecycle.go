package provider

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"hallpass.internal/terraform-provider-justiam/internal/api"
)

// etagKey is where the private state keeps the version that Terraform has seen last.
const etagKey = "etag"

// private is the part of a state that only the provider sees.
type private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// answer is what Terraform gets to hear of one resource.
type answer struct {
	state   *tfsdk.State
	private private
	found   *diag.Diagnostics
}

// outcome is what a call of the store came to; done says in a word what it was for.
type outcome[M any] struct {
	done    string
	current *M
	etag    string
	err     error
}

// settle keeps what there is now, or tells why nothing was done.
func (r *managed[M, P]) settle(ctx context.Context, came outcome[M], to answer) {
	if came.err != nil {
		to.found.Append(r.refuse(came.err, came.done)...)
		return
	}
	to.found.Append(to.state.Set(ctx, came.current)...)
	to.found.Append(to.private.SetKey(ctx, etagKey, quote(came.etag))...)
}

func (r *managed[M, P]) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	planned := new(M)
	response.Diagnostics.Append(r.readPlan(ctx, request.Plan, request.Config, planned)...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := within(ctx, P(planned).timed().Timeouts.Create, writeTimeout, &response.Diagnostics)
	defer cancel()
	etag, err := r.store.create(ctx, r.client, planned)
	r.settle(ctx, outcome[M]{"created", planned, etag, err}, answer{&response.State, response.Private, &response.Diagnostics})
}

func (r *managed[M, P]) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	state, seen, found := r.readState(ctx, request.State, request.Private)
	response.Diagnostics.Append(found...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := within(ctx, P(state).timed().Timeouts.Read, readTimeout, &response.Diagnostics)
	defer cancel()
	etag, err := r.store.read(ctx, r.client, state, seen)
	if err = r.confirmGone(ctx, err); err == errGone {
		response.State.RemoveResource(ctx)
		return
	}
	r.settle(ctx, outcome[M]{"read", state, etag, err}, answer{&response.State, response.Private, &response.Diagnostics})
}

func (r *managed[M, P]) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	if changesNothing(r.schema, request.Plan.Raw, request.State.Raw) {
		response.State.Raw = request.Plan.Raw
		return
	}
	prior, seen, found := r.readState(ctx, request.State, request.Private)
	response.Diagnostics.Append(found...)
	planned := new(M)
	response.Diagnostics.Append(r.readPlan(ctx, request.Plan, request.Config, planned)...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := within(ctx, P(planned).timed().Timeouts.Update, writeTimeout, &response.Diagnostics)
	defer cancel()
	etag, err := r.store.update(ctx, r.client, planned, prior, seen)
	r.settle(ctx, outcome[M]{"changed", planned, etag, err}, answer{&response.State, response.Private, &response.Diagnostics})
}

func (r *managed[M, P]) Delete(ctx context.Context, request resource.DeleteRequest, response *resource.DeleteResponse) {
	state, seen, found := r.readState(ctx, request.State, request.Private)
	response.Diagnostics.Append(found...)
	if response.Diagnostics.HasError() {
		return
	}
	ctx, cancel := within(ctx, P(state).timed().Timeouts.Delete, writeTimeout, &response.Diagnostics)
	defer cancel()
	err := r.confirmGone(ctx, r.store.remove(ctx, r.client, state, seen))
	if err != nil && err != errGone {
		response.Diagnostics.Append(r.refuseDeletion(ctx, err, request.State)...)
	}
}

func (r *managed[M, P]) ImportState(ctx context.Context, request resource.ImportStateRequest, response *resource.ImportStateResponse) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	state, etag := new(M), ""
	P(state).timed().Timeouts = noTimeouts()
	err := r.store.locate(ctx, r.client, request.ID, state)
	if err == nil {
		etag, err = r.store.read(ctx, r.client, state, "")
	}
	r.settle(ctx, outcome[M]{"imported", state, etag, err}, answer{&response.State, response.Private, &response.Diagnostics})
}

var errGone = errors.New("it is not there any more")

// confirmGone says errGone where the API itself says so. Below a wrong address nothing is found either, and nothing of
// that is gone.
func (r *managed[M, P]) confirmGone(ctx context.Context, err error) error {
	if !api.IsCode(err, "not_found") {
		return err
	}
	if wrong := r.client.Confirm(ctx); wrong != nil {
		return wrong
	}
	return errGone
}

// Private state holds JSON.
func quote(etag string) []byte {
	kept, _ := json.Marshal(etag) // of a string there always is some
	return kept
}

func unquote(kept []byte) (etag string) {
	if json.Unmarshal(kept, &etag) != nil {
		return ""
	}
	return etag
}
