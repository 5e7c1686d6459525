#!/usr/bin/env bash
# Guess: JSON_ARRAYAGG gives the whole array, or an error, as json_agg in PostgreSQL and
#   JSON_OBJECTAGG in MariaDB do.
# Version: MariaDB 10.11.19 (Debian 12: mariadb-server-core 1:10.11.19-0+deb12u1)
# Behaviour: its result ends after group_concat_max_len bytes (1 MiB), in the middle of a record, and a ]
#   is added. There is a warning, which the client does not print in batch mode; its exit code is 0.
#   JSON_OBJECTAGG has no such limit.
# Seen: 20,000 short records: 1,048,578 bytes that end in `{"id": 14621, ]`.
set -euo pipefail
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; wait "$server" || true; fi; rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq -o APT::Sandbox::User=root download mariadb-server-core=1:10.11.19-0+deb12u1 \
    mariadb-client-core=1:10.11.19-0+deb12u1 libaio1 libnuma1 liburing2 libedit2 libbsd0 libmd0
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(find "$folder" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
export LD_LIBRARY_PATH
mkdir data
usr/sbin/mariadbd --no-defaults --user="$(id -un)" --skip-grant-tables --skip-networking --innodb=OFF \
    --default-storage-engine=MyISAM --lc-messages-dir="$folder/usr/share/mysql" \
    --character-sets-dir="$folder/usr/share/mysql/charsets" \
    --datadir="$folder/data" --socket="$folder/s" --pid-file="$folder/pid" >log 2>&1 &
server=$!
for _ in $(seq 100); do [ -S s ] && break; sleep 0.1; done
query() { usr/bin/mariadb --no-defaults --socket="$folder/s" --batch --raw --skip-column-names -e "CREATE DATABASE IF NOT EXISTS d; USE d; $1"; }
record="JSON_OBJECT('id', seq, 'user_name', CONCAT('user', seq), 'email', CONCAT('user', seq, '@example.com'))"
query "SELECT JSON_ARRAYAGG($record) FROM seq_1_to_20000" >array.json
echo "exit code $?" >seen
wc -c <array.json >>seen
tail -c 16 array.json >>seen
query "SELECT JSON_VALID(JSON_ARRAYAGG($record)) FROM seq_1_to_20000; SHOW WARNINGS" | head -n 2 >>seen
query "SELECT JSON_LENGTH(JSON_OBJECTAGG(seq, $record)) FROM seq_1_to_20000" >>seen
cat seen
diff - seen <<'SEEN'
exit code 0
1048579
{"id": 14621, ]
0
Warning	1260	Row 14621 was cut by JSON_ARRAYAGG()
20000
SEEN
