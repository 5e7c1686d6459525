#!/usr/bin/env bash
# Guess: mlr --icsv --ojsonl writes valid JSON, with text that is no JSON number in quotes.
# Version: Miller 6.6.0 (Debian 12: miller 6.6.0-2+b3)
# Behaviour: Miller infers numbers from text, in more spellings than JSON has, and writes them as they
#   were spelled, without quotes. "007" and "+5" get quotes; .5, 5., 0x1F and 0b11 do not. With -S it quotes all.
# Seen: a user_name of 0x1F gives {"id": 1, "user_name": 0x1F}, which is not JSON.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq -o APT::Sandbox::User=root download miller=6.6.0-2+b3
dpkg -x miller_*.deb .
printf 'id,user_name\n1,0x1F\n2,.5\n3,5.\n4,0b11\n5,007\n6,+5\n7,1e5\n' >users.csv
seen=$(usr/bin/mlr --icsv --ojsonl cat users.csv | while IFS= read -r line; do
    python3 -c 'import json, sys; json.loads(sys.argv[1])' "$line" 2>/dev/null && echo "$line JSON" || echo "$line not JSON"
done)
echo "$seen"
[ "$seen" = '{"id": 1, "user_name": 0x1F} not JSON
{"id": 2, "user_name": .5} not JSON
{"id": 3, "user_name": 5.} not JSON
{"id": 4, "user_name": 0b11} not JSON
{"id": 5, "user_name": "007"} JSON
{"id": 6, "user_name": "+5"} JSON
{"id": 7, "user_name": 1e5} JSON' ]
