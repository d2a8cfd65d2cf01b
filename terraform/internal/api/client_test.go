package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// step answers one request.
type step func(w http.ResponseWriter, r *http.Request)

func says(status int, body string, headers ...string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		for index := 0; index < len(headers); index += 2 {
			w.Header().Set(headers[index], headers[index+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// hangUp answers nothing: the caller cannot know what happened.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

type recorder struct {
	*httptest.Server
	requests []*http.Request
	pauses   []time.Duration
}

// serve answers requests one after another, and keeps them; the last step answers all that follow.
func serve(t *testing.T, steps ...step) *recorder {
	t.Helper()
	kept := &recorder{}
	kept.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		kept.requests = append(kept.requests, r)
		steps[min(len(kept.requests), len(steps))-1](w, r)
	}))
	t.Cleanup(kept.Close)
	return kept
}

// client calls the server without waiting between attempts.
func (r *recorder) client(t *testing.T, config Config) *Client {
	t.Helper()
	config.Endpoint = r.URL
	if config.ClientID == "" {
		config.Token = "a-token"
	}
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	client.pause = func(_ context.Context, wait time.Duration) error {
		r.pauses = append(r.pauses, wait)
		return nil
	}
	return client
}

const unavailable = `{"status":503,"code":"unavailable","title":"Unavailable","detail":"Not now."}`

func put(client *Client) error {
	_, err := client.Send(context.Background(), Call{Method: http.MethodPut, Path: "/groups/1", IfMatch: `"3"`, Body: map[string]string{"name": "a"}})
	return err
}

func TestAWriteWhoseAnswerIsLostIsRepeatedUnderTheSameKey(t *testing.T) {
	server := serve(t, hangUp, says(503, unavailable, "Retry-After", "7"), says(200, `{}`))
	if err := put(server.client(t, Config{})); err != nil {
		t.Fatal(err)
	}
	first, last := server.requests[0].Header, server.requests[2].Header
	if key := first.Get("Idempotency-Key"); key == "" || key != last.Get("Idempotency-Key") {
		t.Errorf("keys %q and %q", key, last.Get("Idempotency-Key"))
	}
	if last.Get("If-Match") != `"3"` {
		t.Errorf("If-Match was %q", last.Get("If-Match"))
	}
	if server.pauses[1] != 7*time.Second {
		t.Errorf("Retry-After was not kept: %v", server.pauses)
	}
}

func TestTwoWritesHaveTwoKeys(t *testing.T) {
	server := serve(t, says(200, `{}`))
	client := server.client(t, Config{})
	if err := errors.Join(put(client), put(client)); err != nil {
		t.Fatal(err)
	}
	if server.requests[0].Header.Get("Idempotency-Key") == server.requests[1].Header.Get("Idempotency-Key") {
		t.Error("one key for two writes: the second would not happen")
	}
}

func TestAWriteThatIsStillAtWorkIsWaitedFor(t *testing.T) {
	busy := says(409, `{"code":"idempotency_in_progress","detail":"Wait."}`, "Retry-After", "1")
	server := serve(t, hangUp, busy, says(200, `{}`))
	if err := put(server.client(t, Config{})); err != nil {
		t.Fatal(err)
	}
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	for _, status := range []int{400, 403, 404, 409, 412, 413, 422, 500} {
		server := serve(t, says(status, `{"code":"some","detail":"No."}`))
		err := put(server.client(t, Config{}))
		if !IsStatus(err, status) || len(server.requests) != 1 {
			t.Errorf("%d: %v after %d requests", status, err, len(server.requests))
		}
	}
}

func TestAServerThatNeverAnswersIsGivenUp(t *testing.T) {
	server := serve(t, hangUp)
	err := put(server.client(t, Config{}))
	if err == nil || !strings.Contains(err.Error(), "cannot be reached") || len(server.requests) != 1+maxUnreachable {
		t.Errorf("%v after %d requests", err, len(server.requests))
	}
}

func TestAServerThatHasAnsweredIsWaitedForLonger(t *testing.T) {
	server := serve(t, says(200, `{}`, "Connection", "close"), hangUp)
	client := server.client(t, Config{})
	if err := put(client); err != nil {
		t.Fatal(err)
	}
	if put(client) == nil || len(server.requests) != 1+1+maxAway {
		t.Errorf("given up after %d requests", len(server.requests))
	}
	if put(client) == nil || len(server.requests) != 1+1+maxAway+1+maxUnreachable {
		t.Errorf("waited for once more: %d requests", len(server.requests))
	}
}

func TestAWriteThatMayHaveHappenedIsToldFromOneThatDidNot(t *testing.T) {
	var lost *Lost
	if err := put(serve(t, hangUp).client(t, Config{})); !errors.As(err, &lost) {
		t.Errorf("its answer was lost: %v", err)
	}
	read := serve(t, hangUp).client(t, Config{})
	if _, err := read.Get(context.Background(), "/groups/1", nil); errors.As(err, &lost) {
		t.Errorf("a read changes nothing: %v", err)
	}
	gone := serve(t, hangUp)
	client := gone.client(t, Config{})
	gone.Close()
	if err := put(client); !isUnreachable(err) || errors.As(err, &lost) {
		t.Errorf("nothing was sent: %v", err)
	}
}

func TestAWriteThatHasBegunIsNotBrokenOff(t *testing.T) {
	ctx, interrupt := context.WithCancel(context.Background())
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		interrupt()
		time.Sleep(50 * time.Millisecond)
		says(201, `{"id":"1"}`)(w, r)
	})
	client := server.client(t, Config{})
	answer, err := client.Send(ctx, Call{Method: http.MethodPost, Path: "/groups", Body: map[string]string{"name": "a"}})
	if err != nil || string(answer.Body) != `{"id":"1"}` {
		t.Errorf("%v %s", err, answer.Body)
	}
	if _, err := client.Send(ctx, Call{Method: http.MethodPost, Path: "/groups"}); err == nil || len(server.requests) != 1 {
		t.Errorf("another one was begun: %v", err)
	}
}

func TestATimeoutEndsAWriteThatHasBegun(t *testing.T) {
	release := make(chan struct{})
	server := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := server.client(t, Config{}).Send(ctx, Call{Method: http.MethodDelete, Path: "/groups/1"})
	var lost *Lost
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &lost) {
		t.Error(err)
	}
}

func TestJSONThatIsNotTheAPIsIsNotTaken(t *testing.T) {
	type item struct{ Name string }
	client := serve(t, says(200, `{}`)).client(t, Config{})
	if found, err := Find(context.Background(), client, "/secrets", func(item) bool { return true }); !errors.Is(err, ErrStrange) {
		t.Errorf("a list was read: %v, %v", found, err)
	}
	if err := client.Confirm(context.Background()); !errors.Is(err, ErrStrange) {
		t.Errorf("the endpoint knows the caller: %v", err)
	}
	if _, err := client.Send(context.Background(), Call{Method: http.MethodDelete, Path: "/groups/1"}); !errors.Is(err, ErrStrange) {
		t.Errorf("it was deleted: %v", err)
	}
}

func TestNothingIsTriedAgainPastTheTimeout(t *testing.T) {
	server := serve(t, says(429, `{"code":"rate_limited","detail":"Slowly."}`, "Retry-After", "60"))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := server.client(t, Config{}).Get(ctx, "/groups", nil)
	if err == nil || !strings.Contains(err.Error(), "no time is left") || len(server.requests) != 1 {
		t.Errorf("%v after %d requests", err, len(server.requests))
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	server := serve(t, says(302, "", "Location", "https://elsewhere.example.com/"))
	err := put(server.client(t, Config{}))
	if err == nil || !strings.Contains(err.Error(), "redirected to https://elsewhere.example.com/") {
		t.Error(err)
	}
}

func TestAnotherServersNotFoundIsNotTheAPIs(t *testing.T) {
	server := serve(t, says(404, "<h1>Not found</h1>"))
	err := put(server.client(t, Config{}))
	if !IsStatus(err, 404) || IsCode(err, "not_found") {
		t.Errorf("a proxy's page must not remove anything from a state: %v", err)
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	type item struct{ Name string }
	server := serve(t,
		says(200, `{"data":[{"name":"a"}],"next_cursor":"next/page"}`),
		says(200, `{"data":[{"name":"b"}],"next_cursor":null}`))
	found, err := Find(context.Background(), server.client(t, Config{}), "/groups", func(each item) bool { return each.Name == "b" })
	if err != nil || found == nil {
		t.Fatalf("%v, %v", found, err)
	}
	if cursor := server.requests[1].Form.Get("cursor"); cursor != "next/page" {
		t.Errorf("the cursor was %q", cursor)
	}
}

func TestEndpointsThatAreNoneAreRefused(t *testing.T) {
	for _, endpoint := range []string{"hallpass.example.com", "ftp://a", "https://", "https://u:p@a", "https://a?b", "://", " https://a"} {
		if _, err := New(Config{Endpoint: endpoint, Token: "x"}); err == nil || err.Attribute != "endpoint" {
			t.Errorf("%q was taken", endpoint)
		}
	}
	for _, endpoint := range []string{"https://a", "https://a/", "https://a/api/v1", "https://a/api/v1/"} {
		if client, err := New(Config{Endpoint: endpoint, Token: "x"}); err != nil || client.base != "https://a/api/v1" {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}

func TestACAFileIsTrustedAndNothingElse(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(says(200, `{}`)))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	pem := fmt.Appendf(nil, "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", encodeBase64(server.Certificate().Raw))
	if err := os.WriteFile(file, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	trusting, err := New(Config{Endpoint: server.URL, Token: "x", CAFile: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := put(trusting); err != nil {
		t.Error(err)
	}
	strange, _ := New(Config{Endpoint: server.URL, Token: "x"})
	strange.pause = func(context.Context, time.Duration) error { t.Error("distrust does not pass"); return nil }
	if put(strange) == nil {
		t.Error("an unknown authority was trusted")
	}
	if _, err := New(Config{Endpoint: server.URL, Token: "x", CAFile: "/dev/null"}); err == nil || err.Attribute != "ca_file" {
		t.Error("a file without certificates was taken")
	}
}

func TestNothingIsGoneBelowAWrongAddress(t *testing.T) {
	nothing := says(404, `{"code":"not_found","detail":"There is nothing at this address."}`)
	if serve(t, nothing).client(t, Config{}).Confirm(context.Background()) == nil {
		t.Error("a wrong address was taken for the API's")
	}
	if err := serve(t, says(200, `{"id":"me"}`)).client(t, Config{}).Confirm(context.Background()); err != nil {
		t.Error(err)
	}
}
