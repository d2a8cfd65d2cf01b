package check

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// Text allows least to most UTF-16 units, as the server counts them, without NUL.
func Text(least, most int) Rule {
	return Rule{
		Says: fmt.Sprintf("%d to %d characters", least, most),
		Find: func(text string) string {
			length := len(utf16.Encode([]rune(text)))
			switch {
			case length < least || length > most:
				return fmt.Sprintf("must have %d to %d characters, but has %d", least, most, length)
			case strings.ContainsRune(text, 0):
				return "must not hold a NUL character"
			}
			return ""
		},
	}
}

// Name is one visible line. The server trims and composes names: a spelling that it would change is refused, since
// Terraform would see another name than the one it wrote.
func Name() Rule {
	return Rule{Says: "one line of 1 to 200 visible characters", Find: findInName}
}

func findInName(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "must not be blank"
	case strings.TrimSpace(text) != text:
		return "must not begin or end with a space"
	case strings.ContainsFunc(text, isInvisible):
		return "must be one line without invisible characters"
	case !norm.NFC.IsNormalString(text):
		return "must be in Unicode's composed form (NFC)"
	}
	return Text(1, 200).Find(text)
}

func isInvisible(char rune) bool {
	return unicode.In(char, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Pattern allows what the expression matches; otherwise says is told.
func Pattern(expression, says string) Rule {
	pattern := regexp.MustCompile(expression)
	return Rule{
		Says: says,
		Find: func(text string) string {
			if pattern.MatchString(text) {
				return ""
			}
			return "must be " + says
		},
	}
}

// All allows what every rule allows; the first that is broken is told.
func All(rules ...Rule) Rule {
	says := make([]string, len(rules))
	for index, rule := range rules {
		says[index] = rule.Says
	}
	return Rule{
		Says: strings.Join(says, "; "),
		Find: func(text string) string {
			for _, rule := range rules {
				if wrong := rule.Find(text); wrong != "" {
					return wrong
				}
			}
			return ""
		},
	}
}
