# Runs the demo and the stack, as `nix run` does, and ends the stack as Ctrl-C does.
# usage: apps.sh DEMO STACK
set -euo pipefail
# A background job can be interrupted only if it is a process group of its own.
set -o monitor

demo=$1 stack=$2
export HOME=$PWD

"$demo" demo.json
jq --exit-status 'length == 295' demo.json

# A shell that began with SIGINT ignored, as those of `nohup` do, could not heed it.
env --default-signal=INT "$stack" folder &
stack_pid=$!
roll=folder/roll/all_users.json
for _ in $(seq 600); do
  if [ -e $roll ]; then break; fi
  sleep 0.1
done
cmp demo.json $roll

kill -INT -- -$stack_pid
code=0
wait $stack_pid || code=$?
[ $code = 130 ] || { echo "the stack ended with $code" >&2; exit 1; }
if pgrep --list-name 'muster|redis'; then
  echo "the stack is gone, and these are not" >&2
  exit 1
fi
