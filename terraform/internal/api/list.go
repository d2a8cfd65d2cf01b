package api

import (
	"context"
	"net/url"
)

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
