package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"marketplace/functions/catalog/api"
	"marketplace/functions/console/signin"
	"marketplace/shared/cloud/packagestore"
	"marketplace/shared/mail/letter"
)

// Policies of AWS's own (CloudFront developer guide, "Use managed cache policies" and "… origin request policies").
const (
	cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
	allButHost      = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
)

// distribution is the configuration of one.
type distribution struct {
	id     string
	config any
}

func (t template) distribution(id string) distribution {
	return distribution{id, at(t.properties(id), "DistributionConfig")}
}

// behavior returns how a distribution answers a path: the first pattern that matches, or the default.
func (d distribution) behavior(target string) any {
	for _, b := range list(at(d.config, "CacheBehaviors")) {
		if isLike(target, str(at(b, "PathPattern"))) {
			return b
		}
	}
	return at(d.config, "DefaultCacheBehavior")
}

// origin returns the origin that a behavior asks.
func (d distribution) origin(behavior any) any {
	for _, o := range list(at(d.config, "Origins")) {
		if at(o, "Id") == at(behavior, "TargetOriginId") {
			return o
		}
	}
	return nil
}

// checkDistributions: each path is cached by what decides its answer and by nothing else, and the API is asked with the
// key by which it knows the distributions.
func checkDistributions(t template) (problems []string) {
	site, catalog := t.distribution("SiteDistribution"), t.distribution("CatalogDistribution")
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, d := range []distribution{site, catalog} {
		if at(d.config, "Logging") != nil {
			fail("%s: its log holds private links", d.id)
		}
		for _, o := range list(at(d.config, "Origins")) {
			custom := at(o, "CustomOriginConfig")
			key := list(at(o, "OriginCustomHeaders"))
			switch {
			case custom == nil && at(o, "OriginAccessControlId", "Ref") != "BucketAccess":
				fail("%s: the bucket does not know it", d.id)
			case custom != nil && at(custom, "OriginProtocolPolicy") != "https-only":
				fail("%s: the API is asked without TLS", d.id)
			case custom != nil && (len(key) != 1 || at(key[0], "HeaderName") != "X-Origin-Key" ||
				!strings.HasPrefix(str(at(key[0], "HeaderValue", "Sub")), "{{resolve:secretsmanager:")):
				fail("%s: the API is asked without its key", d.id)
			}
		}
		for _, b := range append(list(at(d.config, "CacheBehaviors")), at(d.config, "DefaultCacheBehavior")) {
			if at(b, "ViewerProtocolPolicy") != "redirect-to-https" {
				fail("%s: %v is served without TLS", d.id, at(b, "PathPattern"))
			}
		}
	}
	for _, pattern := range api.Patterns() {
		b := catalog.behavior(strings.ReplaceAll(pattern, "{file}", "x.zip"))
		if at(b, "TargetOriginId") != "api" || at(b, "ResponseHeadersPolicyId", "Ref") != "AnyOrigin" {
			fail("CatalogDistribution: %s does not ask the API for scripts of any origin", pattern)
		}
		cache, queries := str(at(b, "CachePolicyId", "Ref")), "none[]"
		switch {
		case strings.HasPrefix(pattern, "/downloads/"):
			if at(b, "CachePolicyId") != cachingDisabled {
				fail("CatalogDistribution: %s is not counted", pattern)
			}
			continue
		case pattern == "/packages.json":
			queries = "whitelist[version]"
		}
		keys := at(t.properties(cache), "CachePolicyConfig", "ParametersInCacheKeyAndForwardedToOrigin")
		got := fmt.Sprint(at(keys, "QueryStringsConfig", "QueryStringBehavior"),
			list(at(keys, "QueryStringsConfig", "QueryStrings")))
		if got != queries || at(keys, "CookiesConfig", "CookieBehavior") != "none" ||
			at(keys, "HeadersConfig", "HeaderBehavior") != "none" {
			fail("CatalogDistribution: %s is cached by %s, want %s", pattern, got, queries)
		}
		if at(keys, "EnableAcceptEncodingGzip") != "true" || at(keys, "EnableAcceptEncodingBrotli") != "true" {
			fail("CatalogDistribution: %s is not cached in every coding", pattern)
		}
		timeout := str(at(catalog.origin(b), "CustomOriginConfig", "OriginReadTimeout"))
		if timeout != "6" {
			fail("CatalogDistribution: an old document is served only after %s seconds", timeout)
		}
	}
	if at(catalog.config, "WebACLId") != nil {
		fail("CatalogDistribution: WAF bills what is cached")
	}
	if str(at(catalog.config, "DefaultRootObject")) == "" {
		fail("CatalogDistribution: / lists the bucket, with the names of custom packages")
	}
	tailored := catalog.behavior("/" + packagestore.TailoredPrefix + "x.zip")
	if at(tailored, "CachePolicyId", "Ref") != "PrivateCache" ||
		at(tailored, "ResponseHeadersPolicyId", "Ref") != "UnlistedAnyOrigin" {
		fail("CatalogDistribution: custom packages stay cached, or are found by search engines")
	}
	for _, target := range []string{"/", "/request/developer", signin.Home, "/licenses/check", letter.StopPath} {
		b := site.behavior(target)
		methods := list(at(b, "AllowedMethods"))
		if at(b, "CachePolicyId") != cachingDisabled || at(b, "OriginRequestPolicyId") != allButHost ||
			!slices.Contains(methods, any("POST")) {
			fail("SiteDistribution: %s is not passed through", target)
		}
	}
	for _, e := range list(at(site.config, "CustomErrorResponses")) {
		code := str(at(e, "ErrorCode"))
		if !slices.Contains([]string{"502", "503", "504"}, code) || at(e, "ResponseCode") != code {
			fail("SiteDistribution: replaces our own page for %s", code)
		}
	}
	return problems
}

// checkBucket: only the distributions read the bucket, and never the jars. A missing package is a 404.
func checkBucket(t template) (problems []string) {
	allowed := map[string]bool{}
	for _, s := range list(at(t.properties("PackagesBucketPolicy"), "PolicyDocument", "Statement")) {
		action, resource := str(at(s, "Action")), str(at(s, "Resource", "Sub"))+str(at(s, "Resource", "GetAtt"))
		if at(s, "Effect") == "Deny" {
			allowed["not "+action+" "+resource] = true
			continue
		}
		source := str(at(s, "Condition", "ArnEquals", "aws:SourceArn", "Sub"))
		service := at(s, "Principal", "Service")
		if service != "cloudfront.amazonaws.com" || !strings.Contains(source, ":distribution/${") {
			problems = append(problems, "PackagesBucketPolicy: others than the distributions may "+action)
		}
		_, by, _ := strings.Cut(source, ":distribution/")
		allowed[action+" "+resource+" "+by] = true
	}
	for _, want := range []string{
		"s3:GetObject ${PackagesBucket.Arn}/* ${CatalogDistribution}",
		"s3:ListBucket PackagesBucket.Arn ${CatalogDistribution}",
		"s3:GetObject ${PackagesBucket.Arn}/errors/* ${SiteDistribution}",
		"not s3:GetObject ${PackagesBucket.Arn}/" + packagestore.JarsPrefix + "*",
	} {
		if !allowed[want] {
			problems = append(problems, "PackagesBucketPolicy: does not say "+want)
		}
	}
	return problems
}

// checkAnyOrigin: scripts of any origin read what the catalog's distribution answers, whatever an origin says.
func checkAnyOrigin(t template) (problems []string) {
	for _, id := range t.resources("AWS::CloudFront::ResponseHeadersPolicy") {
		cors := at(t.properties(id), "ResponseHeadersPolicyConfig", "CorsConfig")
		if fmt.Sprint(at(cors, "AccessControlAllowOrigins", "Items")) != "[*]" ||
			at(cors, "OriginOverride") != "true" || at(cors, "AccessControlAllowCredentials") != "false" {
			problems = append(problems, id+": not every origin may read the answer")
		}
	}
	return problems
}

func TestDistributionsServeWhatTheFunctionsMean(t *testing.T) {
	text := read(t, "template.yaml")
	check := func(tpl template) []string {
		return slices.Concat(checkDistributions(tpl), checkBucket(tpl), checkAnyOrigin(tpl))
	}
	tpl, err := parseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	report(t, check(tpl))
	for _, tt := range []struct{ old, new, want string }{
		{"- PathPattern: /editions.json", "- PathPattern: /edition.json", "/editions.json does not ask the API"},
		{"CachePolicyId: !Ref VersionCache", "CachePolicyId: !Ref DocumentCache", "/packages.json is cached by none"},
		{"QueryStrings: [version]", "QueryStrings: [v]", "is cached by whitelist[v]"},
		{"EnableAcceptEncodingBrotli: true", "EnableAcceptEncodingBrotli: false", "not cached in every coding"},
		{"OriginReadTimeout: 6", "OriginReadTimeout: 30", "only after 30 seconds"},
		{"        DefaultRootObject: index.html\n", "", "/ lists the bucket"},
		{"- PathPattern: /tailored/*", "- PathPattern: /custom/*", "custom packages stay cached"},
		{"- PathPattern: /downloads/*", "- PathPattern: /*", "custom packages stay cached"},
		{"HeaderName: X-Origin-Key", "HeaderName: X-Key", "without its key"},
		{"OriginProtocolPolicy: https-only", "OriginProtocolPolicy: match-viewer", "without TLS"},
		{"OriginAccessControlId: !Ref BucketAccess", "OriginAccessControlId: x", "the bucket does not know it"},
		{"        DefaultRootObject:", "        WebACLId: x\n        DefaultRootObject:", "WAF bills"},
		{"        DefaultRootObject:", "        Logging: {Bucket: x}\n        DefaultRootObject:", "holds private links"},
		{"ViewerProtocolPolicy: redirect-to-https", "ViewerProtocolPolicy: allow-all", "served without TLS"},
		{"- PathPattern: /static/*", "- PathPattern: /licenses/*", "/licenses/check is not passed through"},
		{"[GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]", "[GET, HEAD, OPTIONS]", "/ is not passed through"},
		{"{ErrorCode: 502, ResponseCode: 502", "{ErrorCode: 404, ResponseCode: 404", "our own page for 404"},
		{"ResponseCode: 503", "ResponseCode: 200", "our own page for 503"},
		{"Action: s3:ListBucket", "Action: s3:GetObject", "does not say s3:ListBucket"},
		{"Resource: !Sub ${PackagesBucket.Arn}/jars/*\n\x20         - Sid", "Resource: x\n\x20         - Sid", "does not say not s3"},
		{"Principal: {Service: cloudfront.amazonaws.com}", `Principal: "*"`, "others than the distributions"},
		{"          OriginOverride: true\n", "", "not every origin may read"},
		{`AccessControlAllowOrigins: {Items: ["*"]}`, `AccessControlAllowOrigins: {Items: ["a"]}`, "not every origin may read"},
	} {
		if !strings.Contains(text, tt.old) {
			t.Errorf("template.yaml does not contain %q any more", tt.old)
			continue
		}
		changed, err := parseTemplate(strings.Replace(text, tt.old, tt.new, 1))
		if err != nil {
			t.Fatal(err)
		}
		if problems := check(changed); !slices.ContainsFunc(problems, func(p string) bool {
			return strings.Contains(p, tt.want)
		}) {
			t.Errorf("%q: got the problems %q, want %q", tt.new, problems, tt.want)
		}
	}
}
