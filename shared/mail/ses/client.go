package ses

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"

	"marketplace/shared/cloud"
)

// LambdaClient is SES as a Lambda function reaches it: with the region and the credentials that Lambda puts into its
// environment, which last as long as the function's sandbox. It stands here and not in shared/cloud, so that only who
// sends mail links SES. endpoint is another server than AWS's own, for tests; "" is none.
func LambdaClient(getenv func(string) string, endpoint string) API {
	return sdk.NewFromConfig(cloud.AWSConfig(getenv), func(o *sdk.Options) {
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	})
}
