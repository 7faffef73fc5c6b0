package ses

import (
	"github.com/aws/aws-sdk-go-v2/aws"
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
