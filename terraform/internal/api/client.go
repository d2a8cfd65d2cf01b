// Package api calls Hallpass's REST API: with a credential, safe retries, entity tags and problem documents.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// attemptTimeout bounds one attempt; what bounds them all is the context.
const attemptTimeout = 60 * time.Second

// Config says where Hallpass is and who calls it: either Token, or ClientID and ClientSecret.
type Config struct {
	Endpoint     string
	Token        string
	ClientID     string
	ClientSecret string
	// CAFile names PEM certificates that are trusted besides the system's.
	CAFile    string
	UserAgent string
}

// Client calls the API as one identity. It may be used by many at once.
type Client struct {
	base       string
	http       *http.Client
	credential credential
	agent      string
	pause      func(ctx context.Context, wait time.Duration) error
	// isKnown: something has answered there, and has not been given up since.
	isKnown atomic.Bool
}

// Misconfigured names the attribute of a configuration that nothing can be called with.
type Misconfigured struct {
	Attribute string
	cause     error
}

func (m *Misconfigured) Error() string { return m.cause.Error() }

// New needs no network.
func New(config Config) (*Client, *Misconfigured) {
	endpoint, err := parseEndpoint(config.Endpoint)
	if err != nil {
		return nil, &Misconfigured{"endpoint", err}
	}
	transport, err := newTransport(config.CAFile)
	if err != nil {
		return nil, &Misconfigured{"ca_file", err}
	}
	client := &Client{
		base:  endpoint + "/api/v1",
		agent: config.UserAgent,
		pause: pause,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	client.credential = newCredential(config, endpoint, client)
	return client, nil
}

func parseEndpoint(text string) (string, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "https" && parsed.Scheme != "http") {
		return "", errors.New("the endpoint must be a URL such as https://hallpass.example.com")
	}
	if parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", errors.New("the endpoint must be a URL without user, query and fragment")
	}
	return strings.TrimSuffix(strings.TrimRight(text, "/"), "/api/v1"), nil
}

// Call is one request: Path is below /api/v1, IfMatch an entity tag or "", Body what is sent as JSON or nil.
type Call struct {
	Method  string
	Path    string
	IfMatch string
	Body    any
}

// Answer is what the API said to a call that it accepted.
type Answer struct {
	ETag string
	Body []byte
}

// Send makes a call, and repeats it where that is safe: reads, and writes under one Idempotency-Key.
// A refusal is a *Problem.
func (c *Client) Send(ctx context.Context, call Call) (Answer, error) {
	body, err := encode(call.Body)
	if err != nil {
		return Answer{}, err
	}
	key := ""
	if call.Method != http.MethodGet {
		key = newKey()
	}
	var answer Answer
	mayHaveHappened := false
	err = c.retry(ctx, func() (err error) {
		answer, err = c.sendOnce(ctx, call, body, key)
		mayHaveHappened = mayHaveHappened || IsLost(err)
		return err
	})
	if mayHaveHappened && !isSettled(err) {
		return Answer{}, &Lost{err}
	}
	return answer, err
}

// Get reads a resource into out. Returns its entity tag.
func (c *Client) Get(ctx context.Context, path string, out any) (string, error) {
	answer, err := c.Send(ctx, Call{Method: http.MethodGet, Path: path})
	if err != nil {
		return "", err
	}
	return answer.ETag, answer.Decode(out)
}

// Confirm says whether the endpoint knows the caller. Below a wrong address nothing is found either, and nothing of that
// is gone.
func (c *Client) Confirm(ctx context.Context) error {
	var caller struct{ ID string }
	_, err := c.Get(ctx, "/me", &caller)
	if err == nil && caller.ID == "" {
		err = ErrStrange
	}
	if err != nil {
		return fmt.Errorf("the endpoint is not where the API is: %w", err)
	}
	return nil
}

// ErrStrange is an answer that says that all is well, and that is none of the API's.
var ErrStrange = errors.New("what answers at the endpoint is not Hallpass's API: check the provider's endpoint")

// Decode reads the answer's JSON into out.
func (a Answer) Decode(out any) error {
	if err := json.Unmarshal(a.Body, out); err != nil {
		return fmt.Errorf("%w (%v)", ErrStrange, err)
	}
	return nil
}
