# Redis, a server, five workers, and a client that sends; then all of it stays, until Ctrl-C.
# usage: stack [FOLDER [INPUT...]]
# FOLDER keeps the queue and the roll; without one they go into a folder that is removed at the end.
# INPUT is what the client sends; by default the sample data. REDIS_PORT and the variables of the
# programs, such as MUSTER_SERVER_LISTEN, put them on other ports.

folder=${1:-}
shift $(($# > 0))
if [ $# = 0 ]; then set -- "$USERS"; fi
if [ -z "$folder" ]; then
  folder=$(mktemp --directory)
  trap 'rm --recursive "$folder"' EXIT
fi
mkdir --parents "$folder/redis" "$folder/roll"
export REDIS_PORT=${REDIS_PORT:-6379}

# Each program is a process group of its own: Ctrl-C reaches this script alone, which ends them in
# order.
set -o monitor
started=()
start() {
  "$@" &
  started+=($!)
}
# Redis is the first: the others are told to end, and awaited, before it.
end() {
  trap '' INT TERM
  kill -TERM "${started[@]:1}" 2>/dev/null || true
  wait "${started[@]:1}" || true
  kill -TERM "${started[0]}" 2>/dev/null || true
  wait "${started[0]}" || true
}
trap 'end; exit 130' INT
trap 'end; exit 143' TERM

start redis-server --port "$REDIS_PORT" --dir "$folder/redis" --appendonly yes \
  --maxmemory-policy noeviction --loglevel warning
start muster-server --roll "$folder/roll"
for _ in 1 2 3 4 5; do start muster-worker --roll "$folder/roll"; done
daemons=("${started[@]}")
start muster-client send "$@" --wait
client=${started[-1]}

code=0
wait -n -p ended "${started[@]}" || code=$?
if [ "$ended" = "$client" ]; then
  echo "stack: the client ended with $code; the roll is $folder/roll/all_users.json; Ctrl-C ends the rest" >&2
  code=0
  wait -n "${daemons[@]}" || code=$?
fi
echo "stack: a program ended with $code before it was told to" >&2
end
exit 1
