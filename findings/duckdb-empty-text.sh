#!/usr/bin/env bash
# Guess: what DuckDB's COPY … TO writes as CSV, DuckDB's read_csv reads back as it was.
# Version: duckdb 2.0.1 (PyPI)
# Behaviour: the writer tells empty text ("") from NULL (nothing), as PostgreSQL does, but the reader
#   takes both for NULL. The same reader takes a column of only F (or T) for Boolean.
# Seen: the file has 1,"",F and 2,,F; read back: (1, NULL, false), (2, NULL, false).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$folder" duckdb==2.0.1
cd "$folder"
seen=$(PYTHONPATH=$folder python3 - <<'PYTHON'
import duckdb
c = duckdb.connect()
c.execute("CREATE TABLE users (id INTEGER, last_name VARCHAR, gender VARCHAR)")
c.execute("INSERT INTO users VALUES (1, '', 'F'), (2, NULL, 'F')")
c.execute("COPY users TO 'users.csv'")
print(open("users.csv").read(), end="")
print(c.execute("FROM users").fetchall())
print(c.execute("FROM 'users.csv'").fetchall())
PYTHON
)
echo "$seen"
[ "$seen" = "id,last_name,gender
1,\"\",F
2,,F
[(1, '', 'F'), (2, None, 'F')]
[(1, None, False), (2, None, False)]" ]
