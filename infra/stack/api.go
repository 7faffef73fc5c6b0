package stack

import (
	"regexp"
	"slices"
	"strings"
)

// apiTimeout is how long an HTTP API waits for a function, in seconds (API Gateway, "Quotas for HTTP APIs").
const apiTimeout = 30

// logged are the facts of a request that the API may log.
var logged = []string{"$context.requestId", "$context.requestTime", "$context.routeKey", "$context.status",
	"$context.responseLength", "$context.responseLatency", "$context.integrationLatency",
	"$context.integrationErrorMessage"}

// checkAPI: there is one API, in front of three functions that answer before it gives up. It changes nothing about an
// answer, and asks nobody to sign in: the functions do.
func checkAPI(c *checker) {
	for _, id := range c.Template.Resources("") {
		kind := c.Template.Type(id)
		names := []string{"AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping"}
		door := strings.HasPrefix(kind, "AWS::ApiGateway") && !slices.Contains(names, kind)
		c.want(!door && kind != "AWS::Serverless::Api" && (kind != "AWS::Serverless::HttpApi" || id == "Api"), id,
			"a second API, %s", kind)
	}
	p := c.Template.Properties("Api")
	c.only("Api", p, "DefaultRouteSettings", "RouteSettings", "AccessLogSettings", "DisableExecuteApiEndpoint",
		"Domain", "Tags", "Description", "FailOnWarnings", "StageName")
	c.is("Api", p, "StageName", "missing", "$default") // another one would be in every path
	c.is("Api", p, "FailOnWarnings", "missing", "true")
	c.is("Api", p, "DisableExecuteApiEndpoint", "{If: [HasDistributions, true, false]}")
	c.only("Api.AccessLogSettings", At(p, "AccessLogSettings"), "DestinationArn", "Format")
	c.is("Api", At(p, "AccessLogSettings"), "DestinationArn", "!GetAtt ApiLog.Arn")
	format := Text(At(p, "AccessLogSettings", "Format"))
	for _, fact := range regexp.MustCompile(`\$[A-Za-z.]+`).FindAllString(format, -1) {
		c.want(slices.Contains(logged, fact), "Api", "its log has %s, which may be private", fact)
	}
	c.want(strings.Contains(format, "$context.requestId"), "Api", "its log has no request ID")

	for id, f := range c.Template.Functions() {
		other := events(f, "Api")
		c.want(len(other) == 0, id, "%v are of a second API", Keys(other))
		routes := events(f, "HttpApi")
		for _, name := range Keys(routes) {
			where := id + "." + name
			c.only(where, routes[name], "ApiId", "Method", "Path", "PayloadFormatVersion", "TimeoutInMillis")
			c.is(where, routes[name], "ApiId", "!Ref Api")
			c.is(where, routes[name], "PayloadFormatVersion", "missing", "2.0") // lambdahttp reads no other
			wait := number(At(routes[name], "TimeoutInMillis"))
			c.want(wait == 0 || wait >= 1000*number(f["Timeout"]), where, "the API waits %d ms, the function runs %s s",
				wait, Text(f["Timeout"]))
		}
		timeout := number(f["Timeout"])
		c.want(len(routes) == 0 || timeout > 0 && timeout < apiTimeout, id,
			"it runs up to %d s, the API waits for %d s", timeout, apiTimeout)
	}
}

// checkThrottles: the limits of routes are those of the page.
func checkThrottles(c *checker) {
	p := c.Template.Properties("Api")
	row := func(route string, settings any) string {
		c.only("Api "+route, settings, "ThrottlingRateLimit", "ThrottlingBurstLimit")
		return "`" + route + "` | " + Text(At(settings, "ThrottlingRateLimit")) + " | " +
			Text(At(settings, "ThrottlingBurstLimit"))
	}
	rows := []string{row("others", At(p, "DefaultRouteSettings"))}
	most := number(At(p, "DefaultRouteSettings", "ThrottlingRateLimit"))
	for _, route := range Keys(At(p, "RouteSettings")) {
		settings := At(p, "RouteSettings", route)
		rows = append(rows, row(route, settings))
		if strings.HasPrefix(route, "POST ") {
			limit := number(At(settings, "ThrottlingRateLimit"))
			c.want(limit < most, "Api "+route, "%d a second is not below the other routes' %d", limit, most)
		}
	}
	c.rows("Throttles", rows)
}
