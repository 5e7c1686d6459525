# What the peers' scripts have in common. Each sources this file, defines `setup`, `work` and `send`,
# and ends with `run "$@"`.
# shellcheck shell=bash disable=SC2034  # `peers` and `here` are for those who source it

peers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

# Carries out one of the three subcommands.
run() {
  case "${1:-}:$#" in
    setup:2 | work:4 | send:5) "$@" ;;
    *)
      echo "usage: $0 setup FOLDER | work FOLDER REDIS_PORT WORKERS | send FOLDER REDIS_PORT RECORDS_FILE COUNT" >&2
      exit 2
      ;;
  esac
}

# Ends the setup of a peer that cannot be had on this machine, and says why.
unavailable() {
  echo "$*" >&2
  exit 3
}

needs() {
  command -v "$1" >/dev/null || unavailable "$1 is missing"
}

# describe NAME VERSION RUNTIME: what a setup says on standard output.
describe() {
  printf '{"name":"%s","version":"%s","runtime":"%s"}\n' "$@"
}

# crew SIZE: begins a crew. `ready` is printed when as many of its programs have printed that.
crew() {
  pids=()
  stopped=1
  exec {said}> >(await_ready "$1")
  announcer=$!
  trap 'stopped=0; kill -TERM "${pids[@]}" 2>/dev/null || true' TERM INT
}

# start COMMAND…: starts one more program of the crew.
start() {
  "$@" >&"$said" {said}>&- &
  pids+=($!)
}

# Runs the crew until SIGTERM, or until one of its programs ends, which is an error. Then all end.
attend() {
  exec {said}>&-
  if [ "$stopped" != 0 ]; then wait -n "${pids[@]}" || true; fi
  trap '' TERM INT
  kill -TERM "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" "$announcer" || true
  return "$stopped"
}

# Reads what a crew prints. What is not `ready` goes to standard error.
await_ready() {
  local missing=$1 line
  while read -r line; do
    if [ "$line" != ready ]; then echo "$line" >&2
    elif missing=$((missing - 1)) && [ "$missing" = 0 ]; then echo ready
    fi
  done
}
