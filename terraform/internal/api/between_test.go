package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const page = "<html><h1>The upstream server is away</h1></html>"

// impatient gives up after the last step.
func impatient(t *testing.T, steps ...step) (*recorder, *Client) {
	t.Helper()
	server := serve(t, steps...)
	client := server.client(t, Config{})
	client.pause = func(context.Context, time.Duration) error {
		if len(server.requests) < len(steps) {
			return nil
		}
		return context.DeadlineExceeded
	}
	return server, client
}

func TestWhetherAWriteHappenedIsNotKnownOfEveryFailure(t *testing.T) {
	busy, taken := says(503, unavailable), says(409, `{"code":"name_taken","detail":"Taken."}`)
	refused := says(401, `{"code":"unauthenticated","detail":"Over."}`)
	for name, each := range map[string]struct {
		steps  []step
		isLost bool
	}{
		"a proxy lost the server":                       {[]step{says(502, page)}, true},
		"a proxy waited no longer":                      {[]step{says(504, page)}, true},
		"a proxy has a status of its own":               {[]step{says(524, page)}, true},
		"a proxy found no server":                       {[]step{says(503, page)}, false},
		"the API is away":                               {[]step{busy}, false},
		"the API failed":                                {[]step{says(500, `{"code":"internal_error","detail":"No."}`)}, false},
		"lost, and the API is away since":               {[]step{hangUp, busy}, true},
		"lost, and the token ran out":                   {[]step{hangUp, refused}, true},
		"lost, and something else answers":              {[]step{hangUp, says(200, page)}, true},
		"lost, and the repeat says what became of it":   {[]step{hangUp, taken}, false},
		"lost to a proxy, and the repeat says it":       {[]step{says(502, page), taken}, false},
		"nothing but a refusal":                         {[]step{taken}, false},
		"nothing but an answer that is none of the API": {[]step{says(200, page)}, false},
	} {
		_, client := impatient(t, each.steps...)
		if err := put(client); err == nil || IsLost(err) != each.isLost {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, client := impatient(t, says(502, page))
	if _, err := client.Get(t.Context(), "/groups/1", nil); err == nil || IsLost(err) {
		t.Errorf("a read changes nothing: %v", err)
	}
}

func TestAProxysPageIsTakenForNothing(t *testing.T) {
	for _, body := range []string{page, "", `{"id":"1"`} {
		client := serve(t, says(200, body)).client(t, Config{})
		if _, err := client.Get(t.Context(), "/groups/1", nil); !errors.Is(err, ErrStrange) {
			t.Errorf("%q was read: %v", body, err)
		}
		if err := put(client); !errors.Is(err, ErrStrange) {
			t.Errorf("%q says that it was written: %v", body, err)
		}
	}
	var number struct{ ID int }
	if _, err := serve(t, says(200, `{"id":"1"}`)).client(t, Config{}).Get(t.Context(), "/groups/1", &number); !errors.Is(err, ErrStrange) {
		t.Error(err)
	}
}

func TestNoProxyIsAskedToCompressWhatHasAnEntityTag(t *testing.T) {
	server := serve(t, says(200, `{}`, "ETag", `"3"`))
	etag, err := server.client(t, Config{}).Get(t.Context(), "/groups/1", &struct{}{})
	if asked := server.requests[0].Header.Get("Accept-Encoding"); err != nil || asked != "" || etag != `"3"` {
		t.Errorf("%v %q %q", err, asked, etag)
	}
}

func TestAnAnswerWithoutEndIsNotReadToIt(t *testing.T) {
	sent := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for chunk := bytes.Repeat([]byte(" "), 1<<20); r.Context().Err() == nil && sent < 2*maxAnswer; sent += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, err := server.client(t, Config{}).Get(t.Context(), "/groups/1", nil); !errors.Is(err, ErrStrange) {
		t.Error(err)
	}
	server.Close()
	if sent >= 2*maxAnswer {
		t.Errorf("%d bytes were read", sent)
	}
}

func TestAListThatGoesInACircleIsLeft(t *testing.T) {
	for _, cursor := range []string{"again", ""} {
		server := serve(t, says(200, `{"data":[],"next_cursor":"`+cursor+`"}`))
		_, err := Find(t.Context(), server.client(t, Config{}), "/groups", func(struct{}) bool { return false })
		if !errors.Is(err, ErrStrange) || len(server.requests) > 2 {
			t.Errorf("%v after %d requests", err, len(server.requests))
		}
	}
}

func TestNoCredentialGoesWhereARedirectPoints(t *testing.T) {
	elsewhere := serve(t, says(200, `{"access_token":"theirs","token_type":"Bearer"}`))
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, config := range []Config{{}, secretive} {
			client := serve(t, says(status, "", "Location", elsewhere.URL)).client(t, config)
			_, err := client.Get(t.Context(), "/groups/1", nil)
			if wrote := put(client); err == nil || wrote == nil || !strings.Contains(err.Error(), elsewhere.URL) {
				t.Errorf("%d: %v, %v", status, err, wrote)
			}
		}
	}
	if len(elsewhere.requests) > 0 {
		t.Errorf("it was called with %q", elsewhere.requests[0].Header.Get("Authorization"))
	}
}

func TestNoFailureTellsACredential(t *testing.T) {
	for _, answer := range []step{
		hangUp, says(401, `{"code":"unauthenticated","detail":"No."}`), says(502, page), says(302, "", "Location", "https://a"), says(200, page),
		says(400, `{"error":"invalid_request"}`), says(200, `{"access_token":"issued","token_type":"DPoP"}`),
	} {
		for _, config := range []Config{{}, secretive} {
			client := serve(t, answer).client(t, config)
			client.pause = func(context.Context, time.Duration) error { return context.DeadlineExceeded }
			err := put(client)
			for _, secret := range []string{"a-token", secretive.ClientSecret, "a%3Asecret", "issued", encodeBase64([]byte("an+id:"))} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("%q is told: %v", secret, err)
				}
			}
		}
	}
}

func TestAnAuthorityThatIsNotKnownIsSaidToNeedAFile(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(says(200, `{}`)))
	defer server.Close()
	client, _ := New(Config{Endpoint: server.URL, Token: "x"})
	if err := put(client); err == nil || !strings.Contains(err.Error(), "HALLPASS_CA_FILE") {
		t.Error(err)
	}
}
