package check

import (
	"strings"
	"testing"
)

func TestRulesTakeAndRefuse(t *testing.T) {
	for name, each := range map[string]struct {
		rule    Rule
		taken   []string
		refused []string
	}{
		"name":       {Name(), []string{"Database Read Access", "é"}, []string{"", " ", "a ", " a", "a\nb", "a\u200bb", "e\u0301", strings.Repeat("x", 201)}},
		"text":       {Text(1, 2), []string{"a", "ab", "é", "😀"}, []string{"", "abc", "😀a", "\x00"}},
		"uuid":       {UUID(), []string{"01a206fa-c26e-71f7-accd-11304130632c"}, []string{"", "01A206FA-C26E-71F7-ACCD-11304130632C", "01a206fa", "dba-team"}},
		"slug":       {Slug(), []string{"internal-db", "a1"}, []string{"", "-a", "a-", "a--b", "A", "a_b", strings.Repeat("a", 101)}},
		"claim":      {Claim(), []string{"roles", "https://a/b", "_x", "ToString"}, []string{"", "1a", "a b", "sub", "SUB", "groups", "email_verified", "toString", "__proto__"}},
		"group":      {GroupName(), []string{"dba-team"}, []string{"__access_req_1", "__ACCESS_REQ_1", " a"}},
		"secret":     {SecretName(), []string{"SLACK_WEBHOOK", "a"}, []string{"", "1A", "A-B", "A B", strings.Repeat("A", 101)}},
		"zone":       {Timezone(), []string{"UTC", "Europe/London", "America/Argentina/Buenos_Aires", "Etc/GMT+1"}, []string{"", "utc", "+01:00", "europe/london"}},
		"host":       {EgressHost(), []string{"a.example.com", "*.example.com", "localhost:8080", "[::1]:443", "127.0.0.1:80"}, []string{"", "https://a", "*.com", "*.a.b:443", "a:0", "a/b", "a b", "*"}},
		"instant":    {Instant(), []string{"2027-01-31T18:00:00Z", "2027-01-31T18:00:00.5+02:00"}, []string{"", "tomorrow", "2027-01-31", "1969-12-31T23:59:59Z"}},
		"permission": {Permission(), []string{"access_requests.manage", "audit.read"}, []string{"", "admin", "a.b.c", "A.b", "a."}},
		"cron": {Cron(), []string{"0 9 * * 1", "*/15 * * * *", "3/15 0-23/2 1,15 JAN-mar *", "0 0 29 2 *", "0 0 * * SUN", "0 0 * * 7"},
			[]string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "1 1 1 * 1", "0 0 31 2,4 *",
				"5-3 * * * *", "*-5 * * * *", "*/0 * * * *", "1/2/3 * * * *", "1-2-3 * * * *", ", * * * *", "a * * * *"}},
		"fields": {CustomFields(), []string{`[]`, ` [{"label":"A","type":"text"}] `, `[{"label":"A","type":"select","options":["x"],"id":"01a206fa-c26e-71f7-accd-11304130632c"}]`},
			[]string{``, `{}`, `null`, `[1]`, `[] []`, `[{"label":"A"}]`, `[{"label":"A","type":"date"}]`, `[{"label":"A","type":"text","options":["x"]}]`,
				`[{"label":"A","type":"select"}]`, `[{"label":"A","type":"select","options":["x","x"]}]`, `[{"label":"A","type":"text"},{"label":"A","type":"text"}]`,
				`[{"label":" ","type":"text"}]`, `[{"label":"A","type":"text","id":"1"}]`, `[{"label":"A","type":"text","help":""}]`, `[{"label":"A","type":"text","required":"yes"}]`}},
	} {
		for _, text := range each.taken {
			if wrong := each.rule.Find(text); wrong != "" {
				t.Errorf("%s: %q %s", name, text, wrong)
			}
		}
		for _, text := range each.refused {
			if each.rule.Find(text) == "" {
				t.Errorf("%s: %q was taken", name, text)
			}
		}
	}
}
