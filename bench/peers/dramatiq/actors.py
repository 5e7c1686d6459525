"""The broker, and what a worker does with a record."""

import json
import logging
import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from redis import Redis


class Announce(dramatiq.Middleware):
    def after_worker_boot(self, broker, worker):
        # Standard output is not print's any more.
        os.write(1, b"ready\n")


port = int(os.environ["REDIS_PORT"])
redis = Redis(host="127.0.0.1", port=port)
broker = RedisBroker(host="127.0.0.1", port=port)
broker.add_middleware(Announce())
dramatiq.set_broker(broker)
logging.getLogger("dramatiq").setLevel(logging.WARNING)


@dramatiq.actor
def process(record):
    redis.rpush("res", json.dumps(record))
