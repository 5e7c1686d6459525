"""The client: unary calls, one after another. usage: send.py RECORDS_FILE COUNT"""

import os
import sys

import grpc
import records
from users_pb2 import UserRequest
from users_pb2_grpc import UsersStub


def main(path, count):
    requests = [UserRequest(**record) for record in records.read(path, int(count))]
    with open(os.environ["PORT_FILE"], encoding="ascii") as file:
        port = file.read()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
        users = UsersStub(channel)
        print("sending", flush=True)
        for request in requests:
            if not users.SendUserInfo(request).status:
                sys.exit("a record was refused")
        print("sent", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
