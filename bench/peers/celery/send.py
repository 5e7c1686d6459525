"""Sends each record as a task, over one connection. usage: send.py RECORDS_FILE COUNT"""

import sys

import records
from tasks import app, process


def main(path, count):
    users = records.read(path, int(count))
    with app.producer_pool.acquire(block=True) as producer:
        print("sending", flush=True)
        for user in users:
            process.apply_async((user,), producer=producer)
        print("sent", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
