package stack

import (
	"slices"
	"strings"
)

// checkDistributions: what CloudFront keeps and passes on is in the tables of the page; both distributions answer only
// with TLS, show a page of their own only while the API is down, and log nothing, since paths and queries are private.
func checkDistributions(c *checker) {
	var rows, caches []string
	for _, id := range c.Template.Resources("AWS::CloudFront::Distribution") {
		c.only(id, c.Template.Properties(id), "DistributionConfig", "Tags")
		p := At(c.Template.Properties(id), "DistributionConfig")
		c.only(id, p, "Comment", "Enabled", "HttpVersion", "IPV6Enabled", "Aliases", "ViewerCertificate",
			"DefaultRootObject", "Origins", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses",
			"WebACLId")
		c.is(id, p, "Enabled", "true")
		c.is(id, p, "ViewerCertificate", "{AcmCertificateArn: !Ref CertificateArn, "+
			"MinimumProtocolVersion: TLSv1.2_2021, SslSupportMethod: sni-only}")
		rows = append(rows, c.behaviour(id, "others", At(p, "DefaultCacheBehavior")))
		for _, b := range List(At(p, "CacheBehaviors")) {
			rows = append(rows, c.behaviour(id, Text(At(b, "PathPattern")), b))
		}
		var codes []string
		for _, e := range List(At(p, "CustomErrorResponses")) {
			c.only(id, e, "ErrorCode", "ErrorCachingMinTTL", "ResponseCode", "ResponsePagePath")
			c.is(id, e, "ErrorCachingMinTTL", "5")
			c.is(id, e, "ResponseCode", "missing", Text(At(e, "ErrorCode")))
			c.is(id, e, "ResponsePagePath", "missing", "/errors/unavailable.html")
			codes = append(codes, Text(At(e, "ErrorCode")))
		}
		c.want(slices.Equal(codes, []string{"502", "503", "504"}), id,
			"it has pages for the errors %v, want 502 to 504", codes)
		for _, origin := range List(At(p, "Origins")) {
			c.origin(id, origin)
		}
	}
	catalog := At(c.Template.Properties("CatalogDistribution"), "DistributionConfig")
	site := At(c.Template.Properties("SiteDistribution"), "DistributionConfig")
	c.is("CatalogDistribution", catalog, "Aliases", "[{Select: [2, {Split: [/, !Ref PackagesUrl]}]}]")
	c.is("CatalogDistribution", catalog, "DefaultRootObject", "index.html") // "/" would list the bucket
	c.is("CatalogDistribution", catalog, "WebACLId", "missing")             // it bills requests that are cached, too
	c.is("SiteDistribution", site, "Aliases", "[{Select: [2, {Split: [/, !Ref SiteUrl]}]}]")
	c.is("SiteDistribution", site, "WebACLId", "{If: [HasWebAcl, !Ref WebAclArn, !Ref AWS::NoValue]}")

	for _, id := range c.Template.Resources("AWS::CloudFront::CachePolicy") {
		p := At(c.Template.Properties(id), "CachePolicyConfig")
		c.only(id, p, "Name", "MinTTL", "DefaultTTL", "MaxTTL", "ParametersInCacheKeyAndForwardedToOrigin")
		key := At(p, "ParametersInCacheKeyAndForwardedToOrigin")
		c.is(id, key, "CookiesConfig", "{CookieBehavior: none}")
		c.is(id, key, "HeadersConfig", "{HeaderBehavior: none}")
		query := strings.Join(Texts(At(key, "QueryStringsConfig", "QueryStrings")), ", ")
		c.is(id, At(key, "QueryStringsConfig"), "QueryStringBehavior", map[bool]string{true: "none",
			false: "whitelist"}[query == ""])
		if query == "" {
			query = "–"
		}
		coded := Text(At(key, "EnableAcceptEncodingGzip")) + " " + Text(At(key, "EnableAcceptEncodingBrotli"))
		coded = map[string]string{"true true": "gzip, brotli", "false false": "–"}[coded]
		caches = append(caches, strings.Join([]string{"`" + id + "`", Text(At(p, "MinTTL")), Text(At(p, "DefaultTTL")),
			Text(At(p, "MaxTTL")), query, coded}, " | "))
	}
	c.rows("Distributions", rows)
	c.rows("Caches", caches)
}

// awsPolicies are policies of AWS's own, by their IDs (CloudFront developer guide, "Managed cache policies").
var awsPolicies = map[string]string{
	"4135ea2d-6df8-44a3-9df3-4b5a84be39ad": "CachingDisabled",
	"b689b0a8-53d0-40ab-baf2-68738e2966ac": "AllViewerExceptHostHeader",
	"88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": "CORS-S3Origin",
}

// behaviour is the row of a path.
func (c *checker) behaviour(id, path string, b any) string {
	where := id + " " + path
	c.only(where, b, "PathPattern", "TargetOriginId", "ViewerProtocolPolicy", "AllowedMethods", "CachePolicyId",
		"OriginRequestPolicyId", "ResponseHeadersPolicyId", "Compress")
	c.is(where, b, "ViewerProtocolPolicy", "redirect-to-https")
	name := func(key string) string {
		text := strings.TrimPrefix(Text(At(b, key)), "!Ref ")
		if known, ok := awsPolicies[text]; ok {
			text = known
		}
		return strings.ReplaceAll(text, "missing", "–")
	}
	return strings.Join([]string{"`" + id + "`", "`" + path + "`", name("TargetOriginId"),
		strings.Trim(name("AllowedMethods"), "[]"), name("CachePolicyId"), name("OriginRequestPolicyId"),
		name("ResponseHeadersPolicyId"), name("Compress")}, " | ")
}

// origin: the API is reached by its own name, with the key, over TLS, and a little longer than its functions run; the
// bucket through the access control.
func (c *checker) origin(id string, o any) {
	where := id + ".Origins." + Text(At(o, "Id"))
	if At(o, "S3OriginConfig") != nil {
		c.only(where, o, "Id", "DomainName", "OriginAccessControlId", "S3OriginConfig")
		c.is(where, o, "DomainName", "!GetAtt PackagesBucket.RegionalDomainName")
		c.is(where, o, "OriginAccessControlId", "!Ref BucketAccess")
		c.is(where, o, "S3OriginConfig", "{OriginAccessIdentity: }")
		return
	}
	c.only(where, o, "Id", "DomainName", "ConnectionAttempts", "ConnectionTimeout", "CustomOriginConfig",
		"OriginCustomHeaders")
	c.is(where, o, "DomainName", "!Sub ${OriginLabel}.${OriginZone}")
	c.is(where, o, "OriginCustomHeaders", "[{HeaderName: X-Origin-Key, "+
		"HeaderValue: !Sub {{resolve:secretsmanager:${OriginSecret}}}}]")
	attempts, connects := number(At(o, "ConnectionAttempts")), number(At(o, "ConnectionTimeout"))
	c.want(attempts == 2 && connects >= 1 && connects <= 5, where, "it connects %d times for %d s", attempts, connects)
	custom := At(o, "CustomOriginConfig")
	c.only(where, custom, "OriginProtocolPolicy", "OriginSSLProtocols", "OriginReadTimeout")
	c.is(where, custom, "OriginProtocolPolicy", "https-only")
	c.is(where, custom, "OriginSSLProtocols", "[TLSv1.2]")
	function := map[string]string{"CatalogDistribution": "CatalogFunction", "SiteDistribution": "ConsoleFunction"}[id]
	runs, waits := number(c.Template.Functions()[function]["Timeout"]), number(At(custom, "OriginReadTimeout"))
	c.want(waits == runs+1, where, "it waits for %d s, %s runs up to %d s", waits, function, runs)
}

// Texts are the texts of a list.
func Texts(v any) (texts []string) {
	for _, item := range List(v) {
		texts = append(texts, Text(item))
	}
	return texts
}
