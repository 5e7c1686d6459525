"""Muster on eight machines, and what is lost or doubled when some of them are."""

import shlex

workers = [worker1, worker2, worker3, worker4, worker5]
SERVER = "--server http://server:50051"
ROLL = "/var/lib/muster/all_users.json"
STATUS = "systemctl show -P StatusText muster-worker@1"  # what the worker told systemd
LIMIT = 600  # seconds; an emulated machine is slow

# What was sent, in the order of the roll.
sent = ["/etc/muster/users"]


def generate(batch, records):
    """Writes a file of so many records, and returns its name."""
    file = f"/tmp/{batch}.ndjson"
    record = f'{{"id":&,"user_name":"{batch}-&","email":"user&@example.com","country":"Somewhere"}}'
    client.succeed(f"seq {records} | sed {shlex.quote(f's/.*/{record}/')} > {file}")
    sent.append(file)
    return file


def begin(batch, records):
    """Sends the half of a batch, which stays open, until workers have records of it in the queue
    before them and others behind them."""
    file = generate(batch, records)
    half = records // 2
    script = (
        f"{{ head -n {half} {file}; until test -e {file}.rest; do sleep 0.1; done;"
        f" tail -n +{half + 1} {file}; }}"
        f" | muster-client send - {SERVER} --batch {batch} --retry-for 10m --wait"
    )
    client.succeed(f"({script}; echo $? > {file}.exit) > {file}.log 2>&1 &")
    kept = f"muster-client batch show {batch} {SERVER} --json | grep -E '\"kept\": ?[1-9]'"
    client.succeed(f"until {kept}; do sleep 0.05; done", timeout=LIMIT)


def finish(batch):
    """Sends the other half, and waits until all of it is in the roll."""
    file = f"/tmp/{batch}.ndjson"
    state = client.succeed(f"muster-client batch show {batch} {SERVER} --json")
    assert '"open"' in state, f"the batch is not in its middle: {state}"
    client.succeed(f"touch {file}.rest")
    client.wait_until_succeeds(f"test -s {file}.exit", timeout=LIMIT)
    client.succeed(f"cat {file}.log >&2; grep -x 0 {file}.exit")


def assert_roll(machine):
    """The roll is, to the byte, what one process makes of the same input."""
    client.succeed(
        "rm -rf /tmp/alone && mkdir /tmp/alone",
        # 3: the examples have records that are not taken.
        f"muster run {' '.join(sent)} --output /tmp/alone/roll >&2 || test $? -eq 3",
    )
    alone = client.succeed("sha256sum < /tmp/alone/roll")
    assert machine.succeed(f"sha256sum < {ROLL}") == alone


def wait_until_ready():
    """The server answers that the store answers."""
    server.wait_until_succeeds("curl -fsS http://127.0.0.1:9181/readyz", timeout=LIMIT)


def wait_until_not_ready():
    """The server answers that the store does not."""
    waiting = "curl -sS http://127.0.0.1:9181/readyz | grep '^waiting for the store'"
    server.wait_until_succeeds(waiting, timeout=LIMIT)


def wait_until_works(worker):
    """The worker has told systemd that the store answers."""
    worker.wait_until_succeeds(f"{STATUS} | grep -x ready", timeout=LIMIT)


with subtest("each machine comes up, whichever is first"):
    for machine in [client, *workers]:
        machine.start()
    server.start()
    server.wait_for_unit("muster-server.service")
    for worker in workers:
        worker.wait_for_unit("muster-worker@1.service")

with subtest("without their store they say that they are not ready"):
    wait_until_not_ready()
    for worker in workers:
        worker.succeed(f"{STATUS} | grep '^waiting for the store'")

with subtest("with their store they say that they are"):
    redis.start()
    redis.wait_for_unit("redis-muster.service")
    wait_until_ready()
    for worker in workers:
        wait_until_works(worker)

with subtest("a folder with traps in it, sent by the client's unit, is in the roll"):
    # 3: done, but some records were rejected, or are dead letters.
    client.wait_until_succeeds(
        f"muster-client batch wait examples {SERVER} || test $? -eq 3", timeout=LIMIT
    )
    status = "systemctl show -P ExecMainStatus muster-client"
    client.wait_until_succeeds(f"{status} | grep -x 3", timeout=60)
    assert_roll(worker1)

with subtest("so are unary calls"):
    file = generate("unary", 500)
    unary = f"muster-client send {file} {SERVER} --batch unary --mode unary --wait"
    # With more than one under way their order is that of their arrival.
    client.succeed(f"{unary} --in-flight 1")
    assert_roll(worker2)

with subtest("a batch that is sent again is there once"):
    client.succeed(f"{unary} --in-flight 64")
    assert_roll(worker3)

with subtest("the server's metrics say what it took in, and what is left to do"):
    for metric in [
        # 296 of the examples, and the unary calls; what was sent again is not taken again.
        "muster_records_accepted_total 796",
        # The queue is looked at once a second.
        'muster_queue_records{priority="normal"} 0',
        "muster_dead_letters 1",
    ]:
        metrics = "curl -fsS http://127.0.0.1:9181/metrics"
        server.wait_until_succeeds(f"{metrics} | grep -Fx {shlex.quote(metric)}", timeout=60)

with subtest("the dashboard shows what is there, and the roll can be had from the server"):
    dashboard = "curl -fsS http://127.0.0.1:9181"
    server.succeed(f"{dashboard}/batches/unary | grep -F written")
    for worker in workers:
        hostname = worker.succeed("hostname").strip()
        server.succeed(f"{dashboard}/workers | grep -F {hostname}")
    server.succeed(f"{dashboard}/dead | grep -F 'is no address'")
    client.succeed(f"muster-client roll download /tmp/downloaded {SERVER} >&2")
    assert client.succeed("sha256sum < /tmp/downloaded") == worker1.succeed(f"sha256sum < {ROLL}")

with subtest("nothing is taken while the queue is paused, and all of it later"):
    client.succeed(f"muster-client queue pause {SERVER} >&2")
    file = generate("paused", 500)
    client.succeed(f"muster-client send {file} {SERVER} --batch paused")
    state = client.succeed(f"muster-client batch show paused {SERVER} --json")
    assert '"sealed"' in state, f"the batch was processed: {state}"
    client.succeed(f"muster-client queue resume {SERVER} >&2")
    client.wait_until_succeeds(f"muster-client batch wait paused {SERVER}", timeout=LIMIT)
    assert_roll(worker4)

with subtest("a worker's machine crashes in the middle of a batch"):
    begin("crash", 200_000)
    worker1.crash()
    finish("crash")
    assert_roll(worker2)
    worker1.start()
    wait_until_works(worker1)

with subtest("a worker is cut off in the middle of a batch, which does not wait for it"):
    begin("cut", 200_000)
    worker2.block()
    finish("cut")
    assert_roll(worker3)

with subtest("it works again when it is back"):
    worker2.unblock()
    wait_until_works(worker2)
    others = [worker for worker in workers if worker != worker2]
    for worker in others:
        worker.succeed("systemctl stop muster-workers.target")
    file = generate("back", 3000)
    client.succeed(f"muster-client send {file} {SERVER} --batch back --wait", timeout=LIMIT)
    assert_roll(worker2)
    for worker in others:
        worker.succeed("systemctl start muster-workers.target")

with subtest("Redis' machine crashes in the middle of a batch"):
    begin("store", 200_000)
    redis.crash()
    wait_until_not_ready()
    redis.start()
    wait_until_ready()
    finish("store")
    assert_roll(worker4)

with subtest("a server that is killed comes back"):
    server.succeed("systemctl kill --signal=KILL muster-server.service")
    server.wait_until_succeeds("systemctl show -P NRestarts muster-server | grep -x 1", timeout=60)
    wait_until_ready()

with subtest("only what is meant to be reached can be"):
    client.succeed("timeout 5 bash -c '</dev/tcp/server/50051'")
    client.fail("timeout 5 bash -c '</dev/tcp/server/9181'")

with subtest("the units are hardened: an exposure of 1.5 at most"):
    units = {server: "muster-server", worker1: "muster-worker@1", client: "muster-client"}
    for machine, unit in units.items():
        machine.succeed(f"systemd-analyze security --no-pager --threshold=15 {unit}.service >&2")

with subtest("all of them end when they are told to"):
    for worker in workers:
        worker.succeed("systemctl stop muster-workers.target", timeout=60)
        worker.succeed("systemctl show -P Result muster-worker@1 | grep -x success")
    server.succeed("systemctl stop muster-server", timeout=60)
    server.succeed("systemctl show -P Result muster-server | grep -x success")
