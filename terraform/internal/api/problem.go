package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// FieldError says what is wrong at a place of the body, a JSON pointer.
type FieldError struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Problem is a refusal of the API (RFC 9457). Code is "" where something else than the API answered.
type Problem struct {
	Status int          `json:"status"`
	Title  string       `json:"title"`
	Detail string       `json:"detail"`
	Code   string       `json:"code"`
	Errors []FieldError `json:"errors"`

	retryAfter time.Duration
}

func (p *Problem) Error() string { return p.Detail }

// IsStatus says whether err is a refusal with this HTTP status.
func IsStatus(err error, status int) bool {
	var problem *Problem
	return errors.As(err, &problem) && problem.Status == status
}

// IsCode says whether err is a refusal with this code, which only the API itself gives.
func IsCode(err error, code string) bool {
	var problem *Problem
	return errors.As(err, &problem) && problem.Code == code
}

// Missing is the refusal where there is no such thing.
func Missing(detail string) *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: detail}
}

// Conflict is the refusal of a change to what somebody else has changed.
func Conflict(detail string) *Problem {
	return &Problem{Status: http.StatusPreconditionFailed, Code: "precondition_failed", Detail: detail}
}

// Blame has a refusal for what does not exist stand at the place of the body that names it.
func Blame(err error, pointer string) error {
	var problem *Problem
	if IsCode(err, "not_found") && errors.As(err, &problem) && len(problem.Errors) == 0 {
		problem.Errors = []FieldError{{Pointer: pointer, Detail: "does not exist"}}
	}
	return err
}

func readProblem(response *http.Response, body []byte) *Problem {
	problem := &Problem{}
	if json.Unmarshal(body, problem) != nil || problem.Code == "" {
		problem = &Problem{Detail: describe(response)}
	}
	problem.Status = response.StatusCode
	problem.retryAfter = readRetryAfter(response.Header.Get("Retry-After"))
	return problem
}

// describe speaks for an answer that is none of the API's: a proxy's, or another server's.
func describe(response *http.Response) string {
	where := fmt.Sprintf("%s %s", response.Request.Method, response.Request.URL.Redacted())
	if location := response.Header.Get("Location"); location != "" {
		return fmt.Sprintf("%s was redirected to %s. Set the provider's endpoint to where Hallpass itself answers.", where, location)
	}
	return fmt.Sprintf("%s was answered %s, not by Hallpass's API.", where, response.Status)
}

func readRetryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
