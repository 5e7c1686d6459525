#!/usr/bin/env bash
# Guess: json_group_array(r) over a subquery of json_object(…) AS r is an array of objects, as
#   json_group_array(json_object(…)) is.
# Version: SQLite 3.54.1 in sql.js 1.17.0 (npm); SQLite 3.40.1 of Debian 12 does the same
# Behaviour: that a text is JSON is a mark on the value (its subtype), which is lost in a subquery.
#   The array then holds each object as a string. It is valid JSON, so nothing fails.
#   json_group_array(json(r)), or ORDER BY inside of the aggregate, gives objects.
# Seen: ["{\"id\":2}","{\"id\":1}"] in place of [{"id":2},{"id":1}].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" sql.js@1.17.0 >/dev/null
cd "$folder"
seen=$(node - <<'NODE'
require("sql.js")().then(sql => {
  const db = new sql.Database();
  const one = query => console.log(db.exec(query)[0].values[0][0]);
  db.exec("CREATE TABLE users (id INTEGER PRIMARY KEY, user_name TEXT)");
  db.exec("INSERT INTO users VALUES (1, 'zoe'), (2, 'ada')");
  const ordered = "(SELECT json_object('id', id) AS r FROM users ORDER BY user_name)";
  one("SELECT sqlite_version()");
  one("SELECT json_group_array(json_object('id', id)) FROM users");
  one("SELECT json_group_array(r) FROM " + ordered);
  one("SELECT json_group_array(json(r)) FROM " + ordered);
  one("SELECT json_group_array(json_object('id', id) ORDER BY user_name) FROM users");
});
NODE
)
echo "$seen"
[ "$seen" = '3.54.1
[{"id":1},{"id":2}]
["{\"id\":2}","{\"id\":1}"]
[{"id":2},{"id":1}]
[{"id":2},{"id":1}]' ]
