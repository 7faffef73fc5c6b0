#!/usr/bin/env bash
# with-dynamodb-local.sh COMMAND...: runs the command with DYNAMODB_ENDPOINT set to DynamoDB Local, Amazon's own server.
# Needs java 17 or later, mvn and python3. Data is in memory only. The server listens on every interface; no option limits
# that.
. "$(dirname "$0")/serve.sh"
version=3.1.0
jars() {
	mvn -B -ntp -f "$here/dynamodb-local.xml" -Dengine.version="$version" -DoutputDirectory="$PWD/lib" -DincludeScope=runtime \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies &&
		(cd lib && sha256sum --check --quiet --strict "$here/dynamodb-local.sha256" && [ "$(find . -type f | wc -l)" = \
			"$(wc -l <"$here/dynamodb-local.sha256")" ])
}
need java mvn python3
installed "dynamodb-local-$version" jars
serving DYNAMODB_ENDPOINT java -Xmx1g -Djava.library.path="$home/lib" -cp "$home/lib/*" \
	software.amazon.dynamodb.services.local.main.ServerRunner -inMemory -sharedDb -disableTelemetry -port PORT
