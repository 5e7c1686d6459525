"""The records that the peers in Python send."""

import itertools
import json


def read(path, count):
    """The NDJSON records of a file, again and again, up to `count`."""
    with open(path, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return list(itertools.islice(itertools.cycle(records), count))
