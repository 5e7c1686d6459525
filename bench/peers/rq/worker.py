"""One worker. It imports what the jobs need before it forks, as RQ's documentation advises."""

import os

import jobs
import rq

worker = getattr(rq, os.environ.get("RQ_WORKER", "Worker"))(["default"], connection=jobs.redis)
print("ready", flush=True)
worker.work(logging_level="WARNING")
