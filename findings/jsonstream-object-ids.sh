#!/usr/bin/env bash
# Guess: a JSON writer quotes the names of an object, whatever type the name has, as JSON.stringify does.
# Version: JSONStream 1.3.5 (npm)
# Behaviour: stringifyObject() encodes each name with JSON.stringify, so a number stays without quotes.
#   An export of records keyed by a numeric id is then not JSON; keyed by String(id), it is.
# Seen: {1:{"user_name":"ada"}}, which JSON.parse rejects.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" JSONStream@1.3.5 >/dev/null
cd "$folder"
seen=$(node - <<'NODE'
const { stringifyObject } = require("JSONStream");
for (const key of [1, "1"]) {
  let text = "";
  const stream = stringifyObject();
  stream.on("data", part => (text += part));
  stream.on("end", () => {
    let verdict = "JSON";
    try { JSON.parse(text); } catch { verdict = "not JSON"; }
    console.log(text.replaceAll("\n", ""), verdict);
  });
  stream.write([key, { user_name: "ada" }]);
  stream.end();
}
NODE
)
echo "$seen"
[ "$seen" = '{1:{"user_name":"ada"}} not JSON
{"1":{"user_name":"ada"}} JSON' ]
