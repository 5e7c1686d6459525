"""The images under podman, on one machine with a Redis of its own."""

machine.start()

with subtest("the server's image serves"):
    machine.wait_for_unit("podman-server.service")
    machine.wait_until_succeeds("curl -fsS http://127.0.0.1:9181/readyz", timeout=300)

with subtest("its own health check says so"):
    machine.wait_until_succeeds("podman healthcheck run server", timeout=60)

with subtest("the images' programs do the whole job, as nobody on a read-only root"):
    machine.wait_for_unit("podman-worker.service")
    machine.succeed("podman load --input /etc/muster/client-image >&2")
    run = "podman run --rm --network=host --read-only --cap-drop=all"
    users = "--volume $(realpath /etc/muster/users):/users:ro"
    # 3: the examples have records that are not taken.
    machine.succeed(
        f"{run} {users} $(cat /etc/muster/client-name) send /users --wait >&2 || test $? -eq 3"
    )
    machine.succeed("grep -q '\"records\": *295' /srv/roll/all_users.manifest.json")

with subtest("they have no shell"):
    for image in ["server", "worker"]:
        machine.fail(f"podman exec {image} sh -c true")

with subtest("they end when they are told to"):
    for image in ["worker", "server"]:
        machine.succeed(f"podman stop --time 20 {image} >&2")
