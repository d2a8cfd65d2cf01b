package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func encodeBase64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

var secretive = Config{ClientID: "an id", ClientSecret: "a:secret/+%"}

// tokens gives token-1, token-2 and so on, and has the API answer through.
func tokens(life int, api step) step {
	given := 0
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/oauth/token" {
			api(w, r)
			return
		}
		given++
		says(200, fmt.Sprintf(`{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, given, life))(w, r)
	}
}

func (r *recorder) bearers() (found []string) {
	for _, request := range r.requests {
		if request.URL.Path != "/oauth/token" {
			found = append(found, strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "))
		}
	}
	return found
}

func TestClientCredentialsAreSentAsTheRFCEscapesThem(t *testing.T) {
	server := serve(t, tokens(300, says(200, `{}`)))
	if err := put(server.client(t, secretive)); err != nil {
		t.Fatal(err)
	}
	asked := server.requests[0]
	id, secret, _ := asked.BasicAuth()
	if id != "an+id" || secret != "a%3Asecret%2F%2B%25" || asked.Form.Get("grant_type") != "client_credentials" {
		t.Errorf("%q %q %v", id, secret, asked.Form)
	}
	if asked.Header.Get("Idempotency-Key") != "" {
		t.Error("the token endpoint is none of the API")
	}
}

func TestATokenIsUsedUntilShortlyBeforeItsEnd(t *testing.T) {
	server := serve(t, tokens(300, says(200, `{}`)))
	client := server.client(t, secretive)
	held := client.credential.(*clientCredentials)
	for range 3 {
		if err := put(client); err != nil {
			t.Fatal(err)
		}
	}
	if left := time.Until(held.renewAt); left > 240*time.Second || left < 200*time.Second {
		t.Errorf("renewed in %s of 300 s", left)
	}
	held.renewAt = time.Now()
	if err := put(client); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(server.bearers(), " "); got != "token-1 token-1 token-1 token-2" {
		t.Error(got)
	}
}

func TestATokenThatIsRefusedIsReplacedOnce(t *testing.T) {
	api := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-2" {
			says(200, `{}`)(w, r)
			return
		}
		says(401, `{"code":"unauthenticated","detail":"Revoked."}`)(w, r)
	}
	server := serve(t, tokens(300, api))
	if err := put(server.client(t, secretive)); err != nil {
		t.Fatal(err)
	}
	stubborn := serve(t, tokens(300, says(401, `{"code":"unauthenticated","detail":"No."}`)))
	if err := put(stubborn.client(t, secretive)); !IsCode(err, "unauthenticated") || len(stubborn.bearers()) != 2 {
		t.Errorf("%v after %v", err, stubborn.bearers())
	}
}

func TestAStaticTokenThatIsRefusedIsNotTriedAgain(t *testing.T) {
	server := serve(t, says(401, `{"code":"unauthenticated","detail":"No."}`))
	if err := put(server.client(t, Config{})); !IsCode(err, "unauthenticated") || len(server.requests) != 1 {
		t.Errorf("%v after %d", err, len(server.requests))
	}
}

func TestManyAtOnceGetOneToken(t *testing.T) {
	var mutex sync.Mutex
	answers := tokens(300, says(200, `{}`))
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		answers(w, r)
	})
	client := server.client(t, secretive)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { _, _ = client.credential.bearer(t.Context(), "") })
	}
	all.Wait()
	if len(server.requests) != 1 {
		t.Errorf("%d tokens", len(server.requests))
	}
}

func TestWhatTheTokenEndpointRefusesIsTold(t *testing.T) {
	for body, says400 := range map[string]string{
		`{"error":"invalid_client","error_description":"The client is not known."}`: "invalid_client: The client is not known.",
		`{"error":"invalid_client"}`: "invalid_client",
	} {
		server := serve(t, says(401, body))
		err := put(server.client(t, secretive))
		var refusal *OAuthError
		if !errors.As(err, &refusal) || !strings.HasSuffix(err.Error(), says400) || len(server.requests) != 1 {
			t.Errorf("%v after %d requests", err, len(server.requests))
		}
		if strings.Contains(err.Error(), secretive.ClientSecret) {
			t.Error("the secret is told")
		}
	}
}

func TestATokenEndpointThatFailsIsToldAsItself(t *testing.T) {
	server := serve(t, says(500, `{"error":"server_error","error_description":"Something went wrong."}`))
	err := put(server.client(t, secretive))
	if err == nil || err.Error() != "No token was given: server_error: Something went wrong." || len(server.requests) != 1 {
		t.Errorf("%v after %d requests", err, len(server.requests))
	}
}

func TestTokensThatAreNoneAreRefused(t *testing.T) {
	for _, body := range []string{`{}`, `nothing`, `{"access_token":"x","token_type":"DPoP"}`, `{"access_token":"","token_type":"Bearer"}`} {
		server := serve(t, says(200, body))
		if put(server.client(t, secretive)) == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

func TestATokenEndpointThatIsAwayIsTriedAgain(t *testing.T) {
	server := serve(t, hangUp, says(503, `{"error":"temporarily_unavailable"}`), tokens(300, says(200, `{}`)))
	if err := put(server.client(t, secretive)); err != nil {
		t.Fatal(err)
	}
}
