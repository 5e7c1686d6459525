"""Sends each record as a message. usage: send.py RECORDS_FILE COUNT"""

import sys

import records
from actors import process


def main(path, count):
    users = records.read(path, int(count))
    print("sending", flush=True)
    for user in users:
        process.send(user)
    print("sent", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
