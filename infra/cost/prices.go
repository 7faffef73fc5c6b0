package cost

// PricesOf says when the prices were looked up, and for which region: list prices in US dollars, without taxes, without
// free tiers and without discounts.
const PricesOf = "30 Nov 2026, US East (N. Virginia); CloudFront in the United States and Europe"

// Price is what a unit costs. Of some, further units of a month are cheaper.
type Price struct {
	Service, Unit string
	Dollars       float64 // for Per units
	Per           float64
	Further       []tier // in the order of From
	Source        string // the page that says so
}

// tier is the price of the units beyond so many.
type tier struct{ From, Dollars float64 }

const (
	thousand = 1e3
	million  = 1e6
	gigabyte = 1e9
	terabyte = 1e12
)

// The prices. Of the pages of AWS, some load their numbers by script: then the source is a page that repeats them.
var (
	lambdaRequest = Price{"Lambda", "request", 0.20, million, nil, "Cloudchipr, AWS Lambda pricing breakdown"}
	lambdaSecond  = Price{"Lambda", "GB-second on arm64", 0.0000133334, 1,
		[]tier{{7.5e9, 0.0000120001}}, "Cloudchipr, AWS Lambda pricing breakdown"}
	apiRequest = Price{"HTTP API", "request", 1.00, million, []tier{{300e6, 0.90}},
		"Amnic, AWS API Gateway pricing"}
	cdnRequest = Price{"CloudFront", "HTTPS request", 0.0100, 10 * thousand, nil, "Wring, AWS CloudFront pricing guide"}
	cdnByte    = Price{"CloudFront", "byte to the internet", 0.085, gigabyte, []tier{{10 * terabyte, 0.080},
		{50 * terabyte, 0.060}, {150 * terabyte, 0.040}, {500 * terabyte, 0.030}, {1024 * terabyte, 0.025}},
		"AWS, Amazon CloudFront pricing"}
	wafACL     = Price{"WAF", "web ACL", 5, 1, nil, "C3X, AWS WAF cost explained"}
	wafRule    = Price{"WAF", "rule", 1, 1, nil, "C3X, AWS WAF cost explained"}
	wafRequest = Price{"WAF", "request", 0.60, million, nil, "C3X, AWS WAF cost explained"}

	writeUnit   = Price{"DynamoDB", "write unit", 0.625, million, nil, "Airbyte, Amazon DynamoDB pricing"}
	readUnit    = Price{"DynamoDB", "read unit", 0.125, million, nil, "Airbyte, Amazon DynamoDB pricing"}
	tableByte   = Price{"DynamoDB", "byte stored", 0.25, gigabyte, nil, "AWS, Amazon DynamoDB pricing"}
	recoverByte = Price{"DynamoDB", "byte with point-in-time recovery", 0.20, gigabyte, nil,
		"finops.com.py, DynamoDB backup strategy"}
	backupByte = Price{"AWS Backup", "byte in each copy", 0.10, gigabyte, nil,
		"finops.com.py, DynamoDB backup strategy"}

	email      = Price{"SES", "email", 0.10, thousand, nil, "Ace Cloud Interviews, SES"}
	topicEvent = Price{"SNS", "event", 0.50, million, nil, "AWS Negotiations, SQS and SNS cost optimization"}
	queueCall  = Price{"SQS", "call", 0.40, million, nil, "CloudBurn, Amazon SQS pricing"}

	keyMonth    = Price{"KMS", "key", 1, 1, nil, "AWS, AWS KMS pricing"}
	signature   = Price{"KMS", "signature of P-256", 0.15, 10 * thousand, nil, "FactualMinds, AWS KMS pricing"}
	secretMonth = Price{"Secrets Manager", "secret", 0.40, 1, nil, "Hivebook, AWS Secrets Manager"}
	secretGet   = Price{"Secrets Manager", "call", 0.05, 10 * thousand, nil, "Hivebook, AWS Secrets Manager"}
	bucket      = Price{"S3", "byte stored", 0.023, gigabyte, nil, "none found; the price of many years"}
	started     = Price{"EventBridge Scheduler", "start", 1.00, million, nil, "CloudBurn, Amazon EventBridge pricing"}

	alarmMonth     = Price{"CloudWatch", "alarm", 0.10, 1, nil, "C3X, aws_cloudwatch_metric_alarm"}
	dashboardMonth = Price{"CloudWatch", "dashboard", 3, 1, nil, "FactualMinds, Amazon CloudWatch pricing"}
	metricMonth    = Price{"CloudWatch", "metric of ours", 0.30, 1, nil, "SigNoz, CloudWatch pricing"}
	logByte        = Price{"CloudWatch", "byte of logs", 0.50, gigabyte, nil, "FactualMinds, Amazon CloudWatch pricing"}
)

// Prices lists every price.
var Prices = []Price{lambdaRequest, lambdaSecond, apiRequest, cdnRequest, cdnByte, wafACL, wafRule, wafRequest,
	writeUnit, readUnit, tableByte, recoverByte, backupByte, email, topicEvent, queueCall, keyMonth, signature,
	secretMonth, secretGet, bucket, started, alarmMonth, dashboardMonth, metricMonth, logByte}

// of is what so many units cost in a month.
func (p Price) of(units float64) float64 {
	dollars, left := 0.0, units
	for i := len(p.Further) - 1; i >= 0; i-- {
		if t := p.Further[i]; left > t.From {
			dollars += (left - t.From) / p.Per * t.Dollars
			left = t.From
		}
	}
	return dollars + left/p.Per*p.Dollars
}
