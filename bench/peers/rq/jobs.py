"""What a worker does with a record."""

import json
import os

from google.protobuf.json_format import MessageToDict
from redis import Redis

redis = Redis(host="127.0.0.1", port=int(os.environ["REDIS_PORT"]))


def process(request):
    redis.rpush("res", json.dumps(MessageToDict(request, preserving_proto_field_name=True)))
