package check

import (
	"strings"
	"time"

	"hallpass.internal/terraform-provider-justiam/internal/model"
)

// The enumerations of the API, in its order.
var (
	NotificationPolicies = []string{"all", "first_n", "random_n", "round_robin"}
	FailureModes         = []string{"ignore", "retry", "block"}
	FieldTypes           = []string{"text", "textarea", "select", "multi_select", "checkbox"}
	TaskTypes            = []string{"script"}
	ScheduleTypes        = []string{"once", "interval", "cron"}
	PrivilegeLevels      = []string{"low", "medium", "high", "critical"}
	IntegrationEvents    = []string{
		"access_request.submitted", "access_request.approved", "access_request.denied",
		"access_request.revoked", "access_request.expired", "access_request.escalated",
	}
)

// reservedClaims are those that the product sets itself, or that a relying party gives a meaning of its own.
const reservedClaims = " iss sub aud exp nbf iat jti typ azp act may_act scope scp client_id cnf nonce acr amr auth_time sid at_hash " +
	"c_hash email email_verified groups name preferred_username active token_type username prototype "

// builtIns are what every object of JavaScript has, so that a claim of that name could be mistaken for it.
const builtIns = " constructor hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf " +
	"__proto__ __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__ "

// UUID is one in the spelling of the server.
func UUID() Rule {
	return Pattern(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, "a UUID in lower case")
}

// IsUUID says whether an import names an id rather than a name.
func IsUUID(text string) bool { return UUID().Find(text) == "" }

// Slug is what stands as aud in the tokens of an application.
func Slug() Rule {
	return All(Text(1, 100), Pattern(`^[a-z0-9]+(-[a-z0-9]+)*$`, "lower-case letters, digits and single hyphens"))
}

// Claim is the name of a claim that a mapping may carry.
func Claim() Rule {
	reserved := Rule{Says: "no reserved claim name", Find: func(text string) string {
		if strings.Contains(reservedClaims, " "+strings.ToLower(text)+" ") || strings.Contains(builtIns, " "+text+" ") {
			return "is a reserved claim name: tokens carry a claim of that name with another meaning"
		}
		return ""
	}}
	return All(Text(1, 200), Pattern(`^[A-Za-z_][A-Za-z0-9_.:/-]*$`, "letters, digits and _ . : / - with a letter or _ first"), reserved)
}

// GroupName is the name of a standing group.
func GroupName() Rule {
	reserved := Rule{Says: "not beginning with `__access_req_`", Find: func(text string) string {
		if strings.HasPrefix(strings.ToLower(text), "__access_req_") {
			return "is reserved: groups of access requests begin with __access_req_"
		}
		return ""
	}}
	return All(Name(), reserved)
}

// SecretName is a name as scripts spell it.
func SecretName() Rule {
	return Pattern(`^[A-Za-z][A-Za-z0-9_]{0,99}$`, "1 to 100 letters, digits and underscores, a letter first")
}

// Timezone has the shape of a name of the IANA database; whether there is one of that name is the server's to say.
func Timezone() Rule {
	return Pattern(`^(UTC|[A-Z]\w*(/[A-Z][\w+-]*)+)$`, "a time zone of the IANA database such as Europe/London")
}

// EgressHost has the shape of an entry of a list of hosts; the server reads it strictly.
func EgressHost() Rule {
	return Pattern(`^(\*\.[^\s/?#@:*\[\]\\%]+\.[^\s/?#@:*\[\]\\%]+|(\[[0-9a-fA-F:.]+\]|[^\s/?#@:*\[\]\\%]+)(:[1-9]\d{0,4})?)$`,
		"host, *.host or host:port")
}

// Permission has the shape of one. Which there are is the server's to say: later versions know more.
func Permission() Rule {
	return Pattern(`^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$`, "the name of a permission such as access_requests.manage")
}

// Instant is RFC 3339 in a year that a database holds.
func Instant() Rule {
	return Rule{Says: "a moment in RFC 3339", Find: func(text string) string {
		at, err := model.ParseInstant(text)
		if err != nil {
			return "must be a moment in RFC 3339, such as 2027-01-31T18:00:00Z"
		}
		if year := at.In(time.UTC).Year(); year < 1970 || year > 9999 {
			return "must be from the years 1970 to 9999"
		}
		return ""
	}}
}
