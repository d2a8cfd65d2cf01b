package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// maxAnswer is more than any page of the API has.
const maxAnswer = 64 << 20

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
