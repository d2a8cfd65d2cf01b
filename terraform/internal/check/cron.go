package check

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Cron is a cron expression of the usual five fields, read as the server reads it.
func Cron() Rule {
	return Rule{Says: "five fields: minute, hour, day of month, month, day of week", Find: findInCron}
}

type cronField struct {
	name     string
	from, to int
	words    []string
}

var cronFields = []cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")},
	{"day of the week", 0, 7, strings.Fields("SUN MON TUE WED THU FRI SAT")},
}

var (
	longestMonths = []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	cronNumber    = regexp.MustCompile(`^\d{1,2}$`)
	cronStep      = regexp.MustCompile(`^[1-9]\d?$`)
)

func findInCron(text string) string {
	parts := strings.Fields(text)
	if len(parts) != len(cronFields) {
		return "must have five fields: minute, hour, day of month, month, day of week"
	}
	values := make([]map[int]bool, len(parts))
	for index, field := range cronFields {
		found, wrong := field.read(parts[index])
		if wrong != "" {
			return wrong
		}
		values[index] = found
	}
	return findInDays(values[2], values[3], values[4])
}

func findInDays(days, months, weekdays map[int]bool) string {
	if len(days) < 31 && len(weekdays) < 7 {
		return "must name a day of the month or a day of the week, not both"
	}
	earliest := 31
	for day := range days {
		earliest = min(earliest, day)
	}
	for month := range months {
		if longestMonths[month-1] >= earliest {
			return ""
		}
	}
	return "names a day that never comes"
}

func (f cronField) read(text string) (map[int]bool, string) {
	values := map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		from, to, step, wrong := f.readPart(part)
		if wrong != "" {
			return nil, wrong
		}
		for value := from; value <= to; value += step {
			values[f.canonical(value)] = true
		}
	}
	return values, ""
}

// canonical: Sunday is 0 and 7.
func (f cronField) canonical(value int) int {
	if f.to == 7 {
		return value % 7
	}
	return value
}

// readPart reads "*", "3", "3-7", each with an optional step; "3/15" goes from 3 on.
func (f cronField) readPart(part string) (from, to, step int, wrong string) {
	fields, stepText, hasStep := strings.Cut(part, "/")
	first, last, hasLast := strings.Cut(fields, "-")
	step = 1
	if hasStep {
		if !cronStep.MatchString(stepText) {
			return 0, 0, 0, fmt.Sprintf("has %q, which is no step of the %s", "/"+stepText, f.name)
		}
		step, _ = strconv.Atoi(stepText)
	}
	if from, wrong = f.readValue(first); first == "*" {
		from, wrong = f.from, ""
	}
	to = from
	if hasLast && wrong == "" {
		to, wrong = f.readValue(last)
	} else if first == "*" || hasStep {
		to = f.to
	}
	if wrong == "" && (to < from || (first == "*" && hasLast)) {
		wrong = fmt.Sprintf("has %q, which is no range of the %s", part, f.name)
	}
	return from, to, step, wrong
}

func (f cronField) readValue(text string) (int, string) {
	value := -1
	if index := slices.Index(f.words, strings.ToUpper(text)); index >= 0 {
		value = index + f.from
	} else if cronNumber.MatchString(text) {
		value, _ = strconv.Atoi(text)
	}
	if value < f.from || value > f.to {
		return 0, fmt.Sprintf("has %q as %s, which goes from %d to %d", text, f.name, f.from, f.to)
	}
	return value, ""
}
