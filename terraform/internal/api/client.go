// Package api calls Hallpass's REST API: with a credential, safe retries, entity tags and problem documents.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxAnswer is more than any page of the API has.
	maxAnswer = 64 << 20
	// attemptTimeout bounds one attempt; what bounds them all is the context.
	attemptTimeout = 60 * time.Second
)

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

// Each reads a list page by page and hands out its items until visit has seen enough.
func Each[Item any](ctx context.Context, c *Client, path string, visit func(Item) (enough bool)) error {
	type page struct {
		Data       []Item  `json:"data"`
		NextCursor *string `json:"next_cursor"`
	}
	query := url.Values{"limit": {"200"}}
	for {
		var found page
		if _, err := c.Get(ctx, path+"?"+query.Encode(), &found); err != nil {
			return err
		}
		if found.Data == nil {
			return ErrStrange
		}
		for _, item := range found.Data {
			if visit(item) {
				return nil
			}
		}
		if found.NextCursor == nil {
			return nil
		}
		if *found.NextCursor == query.Get("cursor") {
			return ErrStrange
		}
		query.Set("cursor", *found.NextCursor)
	}
}

// Find returns the first item of a list that matches, nil where none does.
func Find[Item any](ctx context.Context, c *Client, path string, matches func(Item) bool) (*Item, error) {
	var found *Item
	err := Each(ctx, c, path, func(item Item) bool {
		if matches(item) {
			found = &item
		}
		return found != nil
	})
	return found, err
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	return json.Marshal(body)
}

// sendOnce makes one attempt; a token that the API refuses is replaced once, where it can be.
func (c *Client) sendOnce(ctx context.Context, call Call, body []byte, key string) (Answer, error) {
	token, err := c.credential.bearer(ctx, "")
	if err != nil {
		return Answer{}, err
	}
	answer, err := c.exchange(ctx, call, body, key, token)
	if !IsStatus(err, http.StatusUnauthorized) {
		return answer, err
	}
	fresh, renewal := c.credential.bearer(ctx, token)
	if renewal != nil {
		return Answer{}, renewal
	}
	if fresh == token {
		return answer, err
	}
	return c.exchange(ctx, call, body, key, fresh)
}

func (c *Client) exchange(ctx context.Context, call Call, body []byte, key, token string) (Answer, error) {
	ctx, cancel := attempt(ctx, call.Method)
	defer cancel()
	var isSent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { isSent.Store(true) }})
	request, err := http.NewRequestWithContext(ctx, call.Method, c.base+call.Path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	header := map[string]string{
		"Accept": "application/json, application/problem+json", "Authorization": "Bearer " + token,
		"If-Match": call.IfMatch, "Idempotency-Key": key, "User-Agent": c.agent,
	}
	if body != nil {
		header["Content-Type"] = "application/json"
	}
	for name, value := range header {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, answered, err := c.roundTrip(request)
	if err != nil && isSent.Load() && call.Method != http.MethodGet {
		return Answer{}, &Lost{err}
	}
	if err != nil {
		return Answer{}, err
	}
	if response.StatusCode >= 300 {
		return Answer{}, refusalOf(call, readProblem(response, answered))
	}
	isEmpty := response.StatusCode == http.StatusNoContent
	if !isEmpty && (call.Method == http.MethodDelete || !json.Valid(answered)) {
		return Answer{}, ErrStrange
	}
	return Answer{ETag: response.Header.Get("ETag"), Body: answered}, nil
}

func (c *Client) roundTrip(request *http.Request) (*http.Response, []byte, error) {
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, &unreachable{err}
	}
	c.isKnown.Store(true)
	defer response.Body.Close()
	answered, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, nil, &unreachable{err}
	}
	return response, answered, nil
}
