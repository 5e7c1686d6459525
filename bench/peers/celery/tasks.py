"""The app, and what a worker does with a record."""

import json
import os

from celery import Celery
from celery.signals import worker_ready
from redis import Redis

port = int(os.environ["REDIS_PORT"])
redis = Redis(host="127.0.0.1", port=port)
app = Celery(broker=f"redis://127.0.0.1:{port}/0")
app.conf.update(
    # A record that a worker was lost with is processed again.
    task_acks_late=True,
    task_ignore_result=True,
    # What the guide to optimizing says for many short tasks.
    worker_prefetch_multiplier=64,
    worker_redirect_stdouts=False,
)


@app.task
def process(record):
    redis.rpush("res", json.dumps(record))


@worker_ready.connect
def announce(**_):
    print("ready", flush=True)
