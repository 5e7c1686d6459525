#!/usr/bin/env bash
# Guess: a JSON record is read by the names of its members, whatever their order.
# Version: tablib 3.10.0 (PyPI)
# Behaviour: Dataset.load(format="json") takes the names from the first record, and only the values,
#   by position, from the others. The order of members has no meaning in JSON (RFC 8259, section 4),
#   and one export can hold several orders, for example when it joins files of two tools.
# Seen: {"last_name": "Byron", "id": 2} becomes id=Byron, last_name=2; {"country": "Peru"}
#   becomes gender=Peru. There is no error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target "$folder" tablib==3.10.0
seen=$(PYTHONPATH=$folder python3 - <<'PYTHON'
import json, tablib
load = lambda records: tablib.Dataset().load(json.dumps(records), format="json").dict
print(json.dumps(load([{"id": 1, "last_name": "Lovelace"}, {"last_name": "Byron", "id": 2}])))
print(json.dumps(load([{"id": 1, "gender": "Female"}, {"id": 2, "country": "Peru"}])))
PYTHON
)
echo "$seen"
[ "$seen" = '[{"id": 1, "last_name": "Lovelace"}, {"id": "Byron", "last_name": 2}]
[{"id": 1, "gender": "Female"}, {"id": 2, "gender": "Peru"}]' ]
