#!/usr/bin/env bash
# Guess: elasticdump copies the rows of a CSV file in their order.
# Version: elasticdump 6.125.1 (npm)
# Behaviour: from csv:// it takes rows in batches of --limit (100) and writes each batch backwards. So the
#   order is neither that of the file nor its reverse.
# Seen: with 5 rows: 5 4 3 2 1; with --limit 2: 2 1 4 3 5. Ids are strings, in _source.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" elasticdump@6.125.1 >/dev/null
cd "$folder"
printf 'id,user_name\n1,ada\n2,zoe\n3,bob\n4,lin\n5,eva\n' >users.csv
dump() {
    rm -f out.ndjson
    node_modules/.bin/elasticdump --quiet --input=csv://users.csv --output=out.ndjson "$@" >/dev/null
    node -e 'console.log(require("fs").readFileSync("out.ndjson", "utf8").trim().split("\n").map(l => JSON.parse(l)._source.id).join(" "))'
}
seen=$(dump; dump --limit=2; head -n 1 out.ndjson)
echo "$seen"
[ "$seen" = '5 4 3 2 1
2 1 4 3 5
{"_source":{"id":"2","user_name":"zoe"}}' ]
