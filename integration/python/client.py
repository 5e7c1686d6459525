"""Sends user records as a plain gRPC client does: generated stubs, no metadata.

usage: client.py SERVER (unary|stream) FILE [NoCompression|Deflate|Gzip]

FILE is a JSON array of objects. The stubs users_pb2 and users_pb2_grpc must be importable.
"""

import json
import sys

import grpc
from users_pb2 import UserRequest
from users_pb2_grpc import UsersStub

SECONDS_MAX = 60


def main(server, method, path, compression="NoCompression"):
    with open(path, encoding="utf-8") as file:
        requests = (UserRequest(**user) for user in json.load(file))

    with grpc.insecure_channel(server, compression=grpc.Compression[compression]) as channel:
        users = UsersStub(channel)
        if method == "unary":
            responses = [users.SendUserInfo(request, timeout=SECONDS_MAX) for request in requests]
        else:
            responses = [users.SendUserInfoClientStream(requests, timeout=SECONDS_MAX)]

    for response in responses:
        if response.status is not True or response.message != "ok":
            sys.exit(f"refused: status {response.status}, message {response.message!r}")
    print(f"{len(responses)} ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
