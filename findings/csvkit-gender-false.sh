#!/usr/bin/env bash
# Guess: csvjson copies the text of a CSV field, and writes a whole number as a whole number.
# Version: csvkit 2.2.0 with agate 1.14.2 (PyPI)
# Behaviour: csvjson infers a type per column from all its values. A column that holds only F, N, T,
#   Y, no, yes (in any case) is Boolean, one of NA, none, "." is null, and each number becomes a float.
#   One other value turns the whole column back into text.
# Seen: gender F in all rows becomes false, country NO becomes false, ids become 1.0; with one M among
#   them, F stays "F". With --no-inference all is text, but the user_name NA is still null; --blanks keeps it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$folder" csvkit==2.2.0 agate==1.14.2
export PYTHONPATH=$folder
csvjson() { python3 -c 'from csvkit.utilities.csvjson import launch_new_instance as run; run()' "$@"; echo; }
printf 'id,user_name,gender,country\n1,ann,F,NO\n2,NA,F,NO\n' >"$folder/women.csv"
printf 'id,user_name,gender,country\n1,ann,F,NO\n2,bob,M,SE\n' >"$folder/mixed.csv"
seen=$(csvjson "$folder/women.csv"; csvjson "$folder/mixed.csv"; csvjson --no-inference "$folder/women.csv"
    csvjson --no-inference --blanks "$folder/women.csv")
echo "$seen"
[ "$seen" = '[{"id": 1.0, "user_name": "ann", "gender": false, "country": false}, {"id": 2.0, "user_name": null, "gender": false, "country": false}]
[{"id": 1.0, "user_name": "ann", "gender": "F", "country": "NO"}, {"id": 2.0, "user_name": "bob", "gender": "M", "country": "SE"}]
[{"id": "1", "user_name": "ann", "gender": "F", "country": "NO"}, {"id": "2", "user_name": null, "gender": "F", "country": "NO"}]
[{"id": "1", "user_name": "ann", "gender": "F", "country": "NO"}, {"id": "2", "user_name": "NA", "gender": "F", "country": "NO"}]' ]
