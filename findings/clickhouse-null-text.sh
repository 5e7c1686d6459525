#!/usr/bin/env bash
# Guess: the JSON formats of ClickHouse write NULL as null; those with "Strings" quote the other values.
# Version: ClickHouse 26.9.2.1 in chdb 4.4.0 (PyPI)
# Behaviour: JSONStringsEachRow, JSONCompactStringsEachRow and JSONStrings write NULL as a string of four
#   small letters, U+1D3A U+1D41 U+1D38 U+1D38, the text that the terminal formats show. Nothing in the
#   file tells it from a value.
# Seen: {"id":"4","gender":"ᴺᵁᴸᴸ"}, where JSONEachRow has {"id":4,"gender":null}.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps \
    --target "$folder" chdb==4.4.0 chdb-core==26.9.0
seen=$(PYTHONPATH=$folder PYTHONUTF8=1 python3 - <<'PYTHON'
import chdb, json
query = "SELECT toInt32(4) AS id, CAST(NULL AS Nullable(String)) AS gender"
print(chdb.query("SELECT version()", "TSVRaw").data().strip())
print(str(chdb.query(query, "JSONEachRow")).strip())
text = str(chdb.query(query, "JSONStringsEachRow")).strip()
print(text)
print(" ".join(f"U+{ord(c):04X}" for c in json.loads(text)["gender"]))
PYTHON
)
echo "$seen"
[ "$seen" = '26.9.2.1
{"id":4,"gender":null}
{"id":"4","gender":"ᴺᵁᴸᴸ"}
U+1D3A U+1D41 U+1D38 U+1D38' ]
