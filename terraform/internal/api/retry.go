package api

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	firstPause = 500 * time.Millisecond
	maxPause   = 10 * time.Second
	// maxUnreachable is how often a server that never answered is tried again: the endpoint may be wrong.
	maxUnreachable = 4
	// maxAway is how often one that did answer is: it may be starting again, which takes it less than two minutes.
	maxAway = 15
)

// unreachable: no whole answer came. A write may have happened; its key makes the repeat safe.
type unreachable struct{ cause error }

func (u *unreachable) Error() string {
	says := fmt.Sprintf("Hallpass cannot be reached: %v", u.cause)
	var unknown x509.UnknownAuthorityError
	if errors.As(u.cause, &unknown) {
		says += ". Name a file of that authority's certificates in ca_file or HALLPASS_CA_FILE."
	}
	return says
}

func (u *unreachable) Unwrap() error { return u.cause }

// Lost is the failure of a write that was sent, and that may have happened: its answer never came.
type Lost struct{ cause error }

func (l *Lost) Error() string { return l.cause.Error() }
func (l *Lost) Unwrap() error { return l.cause }

// IsLost says whether err is that of a write that may have happened.
func IsLost(err error) bool {
	var lost *Lost
	return errors.As(err, &lost)
}

// refusalOf tells a refusal of the API from the failure of a server before it, which may have passed a write on. One that
// is unavailable has not.
func refusalOf(call Call, problem *Problem) error {
	isGateway := problem.Code == "" && problem.Status >= 500 && problem.Status != http.StatusServiceUnavailable
	if isGateway && call.Method != http.MethodGet {
		return &Lost{problem}
	}
	return problem
}

// isSettled says whether the last attempt tells what became of the one before it, whose answer was lost: they have one
// key.
func isSettled(err error) bool {
	var problem *Problem
	if err == nil || !errors.As(err, &problem) {
		return err == nil
	}
	return problem.Code != "" && !isPassing(problem) && problem.Status != http.StatusUnauthorized
}

func isUnreachable(err error) bool {
	var away *unreachable
	return errors.As(err, &away)
}

// attempt bounds one attempt. A write that has begun is not broken off where Terraform is interrupted: what it did
// would be known to nobody.
func attempt(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	end := time.Now().Add(attemptTimeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	if method != http.MethodGet && ctx.Err() == nil {
		ctx = context.WithoutCancel(ctx)
	}
	return context.WithDeadline(ctx, end)
}

// retry repeats work while its failure is one that passes, and the context has time left.
func (c *Client) retry(ctx context.Context, work func() error) error {
	for attempt := 0; ; attempt++ {
		err := work()
		wait, passes := c.mayPass(err, attempt)
		if !passes && isUnreachable(err) {
			c.isKnown.Store(false)
		}
		if !passes || ctx.Err() != nil {
			return err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("%w (no time is left to try again in %s)", err, wait)
		}
		if c.pause(ctx, wait) != nil {
			return err
		}
	}
}

// mayPass says whether another attempt can end otherwise, and when to make it.
func (c *Client) mayPass(err error, attempt int) (time.Duration, bool) {
	wait := min(firstPause<<min(attempt, 10), maxPause)
	var problem *Problem
	if errors.As(err, &problem) {
		return max(wait, problem.retryAfter), isPassing(problem)
	}
	most := maxUnreachable
	if c.isKnown.Load() {
		most = maxAway
	}
	return wait, isUnreachable(err) && attempt < most && !isDistrust(err)
}

func isPassing(problem *Problem) bool {
	switch problem.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	// The first attempt, whose answer was lost, is still at work.
	return problem.Code == "idempotency_in_progress"
}

func isDistrust(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func newKey() string { return "terraform-" + rand.Text() }
