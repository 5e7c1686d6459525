#!/usr/bin/env bash
# Guess: a member that only some records have is a column of the frame (null elsewhere), or an error.
# Version: polars 2.1.0 (PyPI)
# Behaviour: Polars takes the columns from the first 100 records (infer_schema_length). A member that
#   comes first in record 101 is dropped without an error by DataFrame(records) and read_ndjson, and is
#   an error in read_json of the same records.
# Seen: with gender first in record 100: 3 columns; first in record 101: 2 columns, ComputeError from
#   read_json.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$folder" polars==2.1.0
seen=$(PYTHONPATH=$folder python3 - <<'PYTHON'
import io, json, polars
for before in (99, 100):
    records = [{"id": i, "user_name": f"u{i}"} for i in range(before)]
    records += [{"id": before, "user_name": "eva", "gender": "Female"}]
    lines = "\n".join(map(json.dumps, records))
    print(before + 1, "DataFrame", polars.DataFrame(records).columns)
    print(before + 1, "read_ndjson", polars.read_ndjson(io.StringIO(lines)).columns)
    try:
        print(before + 1, "read_json", polars.read_json(io.StringIO(json.dumps(records))).columns)
    except polars.exceptions.ComputeError:
        print(before + 1, "read_json ComputeError")
PYTHON
)
echo "$seen"
[ "$seen" = "100 DataFrame ['id', 'user_name', 'gender']
100 read_ndjson ['id', 'user_name', 'gender']
100 read_json ['id', 'user_name', 'gender']
101 DataFrame ['id', 'user_name']
101 read_ndjson ['id', 'user_name']
101 read_json ComputeError" ]
