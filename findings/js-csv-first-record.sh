#!/usr/bin/env bash
# Guess: a CSV writer for an array of objects has a column for each name that occurs, or fails.
# Version: papaparse 5.7.1, csv-stringify 6.9.0, fast-csv 5.0.8, json2csv 5.0.7, d3-dsv 3.0.2 (npm)
# Behaviour: Papa Parse, csv-stringify and fast-csv take the columns from the first object, and drop the
#   other members of later ones without an error; json2csv and d3-dsv take the union. So an export in
#   which nulls are left out loses a whole column if its first record has none.
# Seen: gender of the second record is in 2 of 5 files. csv-stringify also writes false as nothing, like null.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" papaparse@5.7.1 csv-stringify@6.9.0 \
    fast-csv@5.0.8 json2csv@5.0.7 d3-dsv@3.0.2 >/dev/null
cd "$folder"
cat >run.mjs <<'NODE'
import papa from "papaparse";
import { stringify } from "csv-stringify/sync";
import fast from "fast-csv";
import json2csv from "json2csv";
import { csvFormat } from "d3-dsv";
const users = [{ id: 1, user_name: "ada" }, { id: 2, user_name: "zoe", gender: "Female" }];
const show = (name, csv) => console.log(name, JSON.stringify(csv.replaceAll("\r", "").trim()));
show("papaparse", papa.unparse(users));
show("csv-stringify", stringify(users, { header: true }));
show("fast-csv", await fast.writeToString(users, { headers: true }));
show("json2csv", json2csv.parse(users));
show("d3-dsv", csvFormat(users));
show("csv-stringify", stringify([{ id: 1, admin: true }, { id: 2, admin: false }, { id: 3, admin: null }]));
NODE
seen=$(node run.mjs)
echo "$seen"
[ "$seen" = 'papaparse "id,user_name\n1,ada\n2,zoe"
csv-stringify "id,user_name\n1,ada\n2,zoe"
fast-csv "id,user_name\n1,ada\n2,zoe"
json2csv "\"id\",\"user_name\",\"gender\"\n1,\"ada\",\n2,\"zoe\",\"Female\""
d3-dsv "id,user_name,gender\n1,ada,\n2,zoe,Female"
csv-stringify "1,1\n2,\n3,"' ]
