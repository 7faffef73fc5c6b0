package ses

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ses"
)

// LambdaClient is SES as a Lambda function reaches it: with the region and the credentials that Lambda puts into its
// environment, which last as long as the function's sandbox. It stands here and not in shared/cloud, so that only who
// sends mail links SES. endpoint is another server than AWS's own, for tests; "" is none.
func LambdaClient(getenv func(string) string, endpoint string) API {
	o := sdk.Options{
		Region: getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	}
	if endpoint != "" {
		o.BaseEndpoint = aws.String(endpoint)
	}
	return sdk.New(o)
}
