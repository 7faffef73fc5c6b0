package ses

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"marketplace/shared/cloud"
)

// LambdaClient returns the SES client of a Lambda function, with the region and the credentials from its environment.
// It is here and not in shared/cloud so that only functions that send mail link SES. endpoint replaces AWS's own, for
// tests.
func LambdaClient(getenv func(string) string, endpoint string) API {
	return sdk.NewFromConfig(cloud.AWSConfig(getenv), func(o *sdk.Options) {
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	})
}

// Client returns an SES client over a transport other than the SDK's, with credentials that AWS does not know: for
// servers that stand in for SES.
func Client(transport http.RoundTripper, endpoint string) API {
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}
