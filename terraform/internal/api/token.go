package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// credential gives the bearer token of a call; one that was refused is replaced where that is possible.
type credential interface {
	bearer(ctx context.Context, refused string) (string, error)
}

func newCredential(config Config, endpoint string, client *Client) credential {
	if config.Token != "" {
		return staticToken(config.Token)
	}
	return &clientCredentials{
		client: client, url: endpoint + "/oauth/token", id: config.ClientID, secret: config.ClientSecret,
	}
}

type staticToken string

func (t staticToken) bearer(context.Context, string) (string, error) { return string(t), nil }

// clientCredentials gets short-lived tokens (RFC 6749, section 4.4) and renews each before its end.
type clientCredentials struct {
	client          *Client
	url, id, secret string

	mutex   sync.Mutex
	token   string
	renewAt time.Time
}

type grant struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"`
}

// OAuthError is a refusal of the token endpoint (RFC 6749, section 5.2).
type OAuthError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func (e *OAuthError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("The client credentials were refused: %s: %s", e.Code, e.Description), ": ")
}

func (c *clientCredentials) bearer(ctx context.Context, refused string) (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.token != "" && c.token != refused && time.Now().Before(c.renewAt) {
		return c.token, nil
	}
	asked := time.Now()
	granted, err := c.ask(ctx)
	if err != nil {
		return "", err
	}
	c.token, c.renewAt = granted.AccessToken, asked.Add(usable(granted.ExpiresIn))
	return c.token, nil
}

// usable leaves a fifth of a token's life, at most a minute, for a call that is under way.
// A server that does not say how long it lasts is asked for each call.
func usable(seconds int64) time.Duration {
	life := time.Duration(max(0, seconds)) * time.Second
	return life - min(life/5, time.Minute)
}

// ask makes one attempt. Its caller repeats it: a token that nobody received does nothing.
func (c *clientCredentials) ask(ctx context.Context) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	form := strings.NewReader("grant_type=client_credentials")
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, form)
	if err != nil {
		return grant{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", c.client.agent)
	request.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	response, body, err := c.client.roundTrip(request)
	if err != nil {
		return grant{}, err
	}
	return readGrant(response, body)
}

// readOAuthError makes a problem of what may pass, or is none of the client's.
func readOAuthError(response *http.Response, body []byte) error {
	refusal := &OAuthError{}
	isTold := json.Unmarshal(body, refusal) == nil && refusal.Code != ""
	if isTold && response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests {
		return refusal
	}
	problem := readProblem(response, body)
	if isTold {
		problem.Code, problem.Detail = refusal.Code, "No token was given: "+strings.TrimSuffix(refusal.Code+": "+refusal.Description, ": ")
	}
	return problem
}

func readGrant(response *http.Response, body []byte) (grant, error) {
	if response.StatusCode != http.StatusOK {
		return grant{}, readOAuthError(response, body)
	}
	var granted grant
	if json.Unmarshal(body, &granted) != nil || granted.AccessToken == "" {
		return grant{}, &OAuthError{Code: "no_token", Description: "the token endpoint answered without a token"}
	}
	if !strings.EqualFold(granted.TokenType, "Bearer") {
		return grant{}, &OAuthError{Code: "no_bearer_token", Description: "the token is of the type " + granted.TokenType}
	}
	return granted, nil
}
