"""The gRPC server: each record becomes a job of its own."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import grpc
from jobs import process
from redis import Redis
from rq import Queue
from users_pb2 import UserResponse
from users_pb2_grpc import UsersServicer, add_UsersServicer_to_server


class Users(UsersServicer):
    def __init__(self, queue):
        self.queue = queue

    def SendUserInfo(self, request, context):
        self.queue.enqueue(process, request)
        return UserResponse(status=True, message="ok")


def main():
    queue = Queue(connection=Redis(host="127.0.0.1", port=int(os.environ["REDIS_PORT"])))
    server = grpc.server(ThreadPoolExecutor(max_workers=10))
    add_UsersServicer_to_server(Users(queue), server)
    port = server.add_insecure_port("127.0.0.1:0")
    with open(os.environ["PORT_FILE"], "w", encoding="ascii") as file:
        file.write(str(port))
    signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=1))
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
