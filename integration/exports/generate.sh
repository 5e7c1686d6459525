#!/usr/bin/env bash
# Exports one table of five users with every tool that is installed, in the ways that people do.
#
#   generate.sh FOLDER
#
# Writes one file for each export into FOLDER and prints `made NAME`; or `skipped: TOOL …`, with the
# reason. What Muster makes of each file is in expected.tsv; integration/tests/exports.rs compares.
#
# Needs bash and coreutils, uses no network, and leaves nothing running.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$out/.work
server=
postgres_pid=
mariadb_pid=
failed=0

clean_up() {
    stop_postgres
    stop_mariadb
    rm -rf "$work"
    if [ -n "$server" ]; then rm -rf "$server"; fi
}

stop_postgres() {
    [ -n "$postgres_pid" ] || return 0
    kill -INT "$postgres_pid" 2>/dev/null || true
    wait "$postgres_pid" 2>/dev/null || true
    postgres_pid=
}

stop_mariadb() {
    [ -n "$mariadb_pid" ] || return 0
    kill "$mariadb_pid" 2>/dev/null || true
    wait "$mariadb_pid" 2>/dev/null || true
    mariadb_pid=
}

trap clean_up EXIT
trap 'exit 130' INT TERM
rm -rf "$work"
mkdir "$work"
cd "$work"
# Servers are often outside of a user's PATH.
PATH=$PATH:/usr/sbin:/usr/local/sbin
# Whatever the locale.
export PYTHONUTF8=1

# The five users: letters beyond ASCII, quotes, a backslash, a comma, a NULL. A backslash is text in
# all of these databases; MariaDB gets NO_BACKSLASH_ESCAPES.
cat >seed.sql <<'SQL'
CREATE TABLE users (id INTEGER PRIMARY KEY, user_name VARCHAR(40), email VARCHAR(80), first_name VARCHAR(40), last_name VARCHAR(40), ip_address VARCHAR(45), gender VARCHAR(20), country VARCHAR(60), agent VARCHAR(200));
INSERT INTO users VALUES (1,'ada','ada@example.com','Ada','Lovelace','192.0.2.1','Female','United Kingdom','Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)');
INSERT INTO users VALUES (2,'zoe','zoe@example.com','Zoë','Müller','192.0.2.2','Female','Côte d''Ivoire','curl/8.5.0');
INSERT INTO users VALUES (3,'bob','bob@example.com','Bob "Bo\b"','O''Brien','192.0.2.3','Male','Ireland','Wget/1.21.3');
INSERT INTO users VALUES (4,'lin','lin@example.com','Lin','Wei','2001:db8::4',NULL,'China','Mozilla/5.0 (compatible; MSIE 9.0)');
INSERT INTO users VALUES (5,'eva','eva@example.com','Eva','Novak','192.0.2.5','Female','Czech Republic','Opera/9.80');
SQL
cat >users.ndjson <<'JSON'
{"id":1,"user_name":"ada","email":"ada@example.com","first_name":"Ada","last_name":"Lovelace","ip_address":"192.0.2.1","gender":"Female","country":"United Kingdom","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"}
{"id":2,"user_name":"zoe","email":"zoe@example.com","first_name":"Zoë","last_name":"Müller","ip_address":"192.0.2.2","gender":"Female","country":"Côte d'Ivoire","agent":"curl/8.5.0"}
{"id":3,"user_name":"bob","email":"bob@example.com","first_name":"Bob \"Bo\\b\"","last_name":"O'Brien","ip_address":"192.0.2.3","gender":"Male","country":"Ireland","agent":"Wget/1.21.3"}
{"id":4,"user_name":"lin","email":"lin@example.com","first_name":"Lin","last_name":"Wei","ip_address":"2001:db8::4","gender":null,"country":"China","agent":"Mozilla/5.0 (compatible; MSIE 9.0)"}
{"id":5,"user_name":"eva","email":"eva@example.com","first_name":"Eva","last_name":"Novak","ip_address":"192.0.2.5","gender":"Female","country":"Czech Republic","agent":"Opera/9.80"}
JSON
cat >users.csv <<'CSV'
id,user_name,email,first_name,last_name,ip_address,gender,country,agent
1,ada,ada@example.com,Ada,Lovelace,192.0.2.1,Female,United Kingdom,"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
2,zoe,zoe@example.com,Zoë,Müller,192.0.2.2,Female,Côte d'Ivoire,curl/8.5.0
3,bob,bob@example.com,"Bob ""Bo\b""",O'Brien,192.0.2.3,Male,Ireland,Wget/1.21.3
4,lin,lin@example.com,Lin,Wei,2001:db8::4,,China,Mozilla/5.0 (compatible; MSIE 9.0)
5,eva,eva@example.com,Eva,Novak,192.0.2.5,Female,Czech Republic,Opera/9.80
CSV
{ echo '['; sed '$!s/$/,/' users.ndjson; echo ']'; } >users.json
sed -n 1,2p users.ndjson >first.ndjson
sed -n 3,5p users.ndjson >second.ndjson
tail -n +2 users.csv | cut -d, -f1-3 >names.csv

fields='id, user_name, email, first_name, last_name, ip_address, gender, country, agent'
pairs="'id', id, 'user_name', user_name, 'email', email, 'first_name', first_name, 'last_name', last_name, 'ip_address', ip_address, 'gender', gender, 'country', country, 'agent', agent"

# has TOOL [TEST…]: whether TOOL is installed and TEST succeeds; prints why not.
has() {
    local tool=$1
    shift
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: $tool is not installed"
        return 1
    fi
    if [ $# -gt 0 ] && ! "$@" >/dev/null 2>&1; then
        echo "skipped: $tool lacks what this needs ($*)"
        return 1
    fi
}

# make NAME COMMAND…: the standard output of COMMAND becomes FOLDER/NAME.
make() {
    local name=$1
    shift
    if "$@" >"$out/$name" 2>errors; then
        echo "made $name"
    else
        fail "$name: $(head -c 300 errors)"
        rm -f "$out/$name"
    fi
}

fail() {
    echo "failed: $1" >&2
    failed=1
}

awk_exports() {
    has awk || return 0
    # JSON made by hand, as scripts do that do not escape quotes.
    make awk-printf.ndjson awk -F '\t' '{
        printf "{\"id\":%d,\"user_name\":\"%s\",\"email\":\"%s\",\"first_name\":\"%s\",", $1, $2, $3, $4
        printf "\"last_name\":\"%s\",\"ip_address\":\"%s\",\"gender\":\"%s\",", $5, $6, $7
        printf "\"country\":\"%s\",\"agent\":\"%s\"}\n", $8, $9
    }' <<'TSV'
1	ada	ada@example.com	Ada	Lovelace	192.0.2.1	Female	United Kingdom	Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)
2	zoe	zoe@example.com	Zoë	Müller	192.0.2.2	Female	Côte d'Ivoire	curl/8.5.0
3	bob	bob@example.com	Bob "Bo\b"	O'Brien	192.0.2.3	Male	Ireland	Wget/1.21.3
4	lin	lin@example.com	Lin	Wei	2001:db8::4		China	Mozilla/5.0 (compatible; MSIE 9.0)
5	eva	eva@example.com	Eva	Novak	192.0.2.5	Female	Czech Republic	Opera/9.80
TSV
}

sqlite_exports() {
    # -json came with SQLite 3.33.
    has sqlite3 sqlite3 -json :memory: 'SELECT 1' || return 0
    sqlite3 users.db <seed.sql
    local rows='SELECT * FROM users ORDER BY id'
    make sqlite3-json.json sqlite3 -json users.db "$rows"
    make sqlite3-json-no-rows.json sqlite3 -json users.db 'SELECT * FROM users WHERE id > 5'
    make sqlite3-json_object.ndjson sqlite3 users.db "SELECT json_object($pairs) FROM users ORDER BY id"
    make sqlite3-json_group_array.json sqlite3 users.db "SELECT json_group_array(json_object($pairs)) FROM users"
    make sqlite3-json_group_array-subquery.json sqlite3 users.db "SELECT json_group_array(r) FROM (SELECT json_object($pairs) AS r FROM users ORDER BY user_name)"
    make sqlite3-json_group_object.json sqlite3 users.db "SELECT json_group_object(user_name, json_object($pairs)) FROM users"
    make sqlite3-json_array.json sqlite3 users.db "SELECT json_group_array(json_array($fields)) FROM users"
    make sqlite3-csv.csv sqlite3 -header -csv users.db "$rows"
    make sqlite3-csv-no-header.csv sqlite3 -csv users.db "$rows"
    make sqlite3-csv-semicolon.csv sqlite3 -header -csv -separator ';' users.db "$rows"
    make sqlite3-tabs.tsv sqlite3 -header -tabs users.db "$rows"
    make sqlite3-list.txt sqlite3 -header users.db "$rows"
}

jq_exports() {
    has jq || return 0
    make jq-compact.ndjson jq -c . users.ndjson
    make jq-pretty.json jq . users.ndjson
    make jq-slurp.json jq -s . users.ndjson
    make jq-slurp-compact.json jq -sc . users.ndjson
    make jq-tab.json jq -s --tab . users.ndjson
    make jq-ascii.ndjson jq -ac . users.ndjson
    make jq-sorted.ndjson jq -Sc . users.ndjson
    # With --seq, jq's input has to be RFC 7464 as well: so it has none.
    make jq-seq.json-seq jq -n --seq -c --slurpfile u users.ndjson '$u[]'
    make jq-stream.json jq --stream -c . users.json
    make jq-arrays.json jq -c '[.]' users.ndjson
    make jq-two-arrays.json two_arrays
    make jq-nested-arrays.json jq -sc '[.[0:2], .[2:]]' users.ndjson
    make jq-envelope.json jq -s '{users: .}' users.ndjson
    make jq-envelope-count.json jq -s '{meta: {count: length}, data: .}' users.ndjson
    make jq-by-id.json jq -s 'INDEX(.id)' users.ndjson
    make jq-columns.json jq -sc '. as $r | reduce (.[0] | keys_unsorted[]) as $k ({}; .[$k] = [$r[][$k]])' users.ndjson
    make jq-entries.json jq -sc 'map(to_entries)' users.ndjson
    make jq-no-nulls.ndjson jq -c 'with_entries(select(.value != null))' users.ndjson
    make jq-camel.json jq -sc 'map(with_entries(.key |= gsub("_(?<c>[a-z])"; .c | ascii_upcase)))' users.ndjson
    make jq-strings.ndjson jq -c '.id |= tostring' users.ndjson
    make jq-tojson.json jq -c tojson users.ndjson
    make jq-csv.csv jq -r '[.[]] | @csv' users.ndjson
    make jq-tsv.tsv jq -r '[.[]] | @tsv' users.ndjson
}

two_arrays() { jq -s . first.ndjson && jq -s . second.ndjson; }

python_exports() {
    has python3 || return 0
    python python-dumps.json 'json.dump(u, o)'
    python python-dumps-utf8.json 'json.dump(u, o, ensure_ascii=False)'
    python python-compact.json 'json.dump(u, o, separators=(",", ":"))'
    python python-indent.json 'json.dump(u, o, indent=4)'
    python python-indent-0.json 'json.dump(u, o, indent=0)'
    python python-lines.ndjson '[print(json.dumps(r)) for r in u]'
    python python-appended.json '[json.dump(r, o) for r in u]'
    make python-json.tool-lines.json python3 -m json.tool --json-lines users.ndjson
    make python-json.tool-compact.ndjson python3 -m json.tool --json-lines --compact users.ndjson
    python python-csv.csv 'w = csv.DictWriter(o, u[0]); w.writeheader(); w.writerows(u)'
    python python-csv-all.csv 'w = csv.DictWriter(o, u[0], quoting=csv.QUOTE_ALL); w.writeheader(); w.writerows(u)'
    python python-csv-tab.tsv 'w = csv.DictWriter(o, u[0], dialect="excel-tab"); w.writeheader(); w.writerows(u)'
    python python-csv-unix.csv 'w = csv.DictWriter(o, u[0], dialect="unix"); w.writeheader(); w.writerows(u)'
    python python-csv-read.json 'json.dump(list(csv.DictReader(open("users.csv"))), o)'
    python python-csv-nonnumeric.json 'w = csv.DictWriter(f := io.StringIO(), u[0], quoting=csv.QUOTE_NONNUMERIC); w.writeheader(); w.writerows(u); f.seek(0); json.dump(list(csv.DictReader(f, quoting=csv.QUOTE_NONNUMERIC)), o)'
    if has python3 python3 -c 'import sqlite3'; then
        python python-sqlite-rows.json 'import sqlite3; d = sqlite3.connect(":memory:"); d.executescript(open("seed.sql").read()); json.dump(d.execute("SELECT * FROM users").fetchall(), o)'
    fi
}

# python NAME CODE: makes NAME with the users in `u` and standard output in `o`.
python() {
    make "$1" python3 -c "import csv, io, json, sys; u = [json.loads(l) for l in open('users.ndjson')]; o = sys.stdout; $2"
}

node_exports() {
    has node node -e 'let a; a ??= []' || return 0
    node_js node-stringify.json 'console.log(JSON.stringify(u))'
    node_js node-pretty.json 'console.log(JSON.stringify(u, null, 2))'
    node_js node-lines.ndjson 'process.stdout.write(u.map(r => JSON.stringify(r)).join("\n"))'
    node_js node-by-id.json 'console.log(JSON.stringify(Object.fromEntries(u.map(r => [r.id, r]))))'
    node_js node-entries.json 'console.log(JSON.stringify([...new Map(u.map(r => [r.id, r]))]))'
    node_js node-group.json 'const g = {}; u.forEach(r => (g[r.gender] ??= []).push(r)); console.log(JSON.stringify(g))'
    node_js node-undefined.json 'console.log(JSON.stringify(u.map(r => ({...r, gender: r.gender ?? undefined}))))'
    node_js node-sparse.json 'const a = []; u.forEach(r => a[r.id] = r); console.log(JSON.stringify(a))'
    node_js node-module.js 'console.log("export default " + JSON.stringify(u) + ";")'
    node_js node-jsonp.js 'console.log("callback(" + JSON.stringify(u) + ");")'
}

# node_js NAME CODE: makes NAME with the users in `u`.
node_js() {
    make "$1" node -e "const u = require('fs').readFileSync('users.ndjson', 'utf8').trim().split('\n').map(l => JSON.parse(l)); $2"
}

php_exports() {
    has php php -r 'exit(extension_loaded("pdo_sqlite") ? 0 : 1);' || return 0
    php_pdo php-pdo-assoc.json 'echo json_encode($u);'
    php_pdo php-pdo-both.json 'echo json_encode($d->query($q)->fetchAll());'
    php_pdo php-pdo-num.json 'echo json_encode($d->query($q)->fetchAll(PDO::FETCH_NUM));'
    php_pdo php-pdo-unique.json 'echo json_encode($d->query($q)->fetchAll(PDO::FETCH_UNIQUE | PDO::FETCH_ASSOC));'
    php_pdo php-pdo-strings.json '$d->setAttribute(PDO::ATTR_STRINGIFY_FETCHES, true); echo json_encode($d->query($q)->fetchAll(PDO::FETCH_ASSOC));'
    php_pdo php-pretty.json 'echo json_encode($u, JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), PHP_EOL;'
    php_pdo php-array_filter.json 'echo json_encode(array_filter($u, fn($r) => $r["gender"] !== null));'
    php_pdo php-array_column.json 'echo json_encode(array_column($u, null, "id"));'
    php_pdo php-force-object.json 'echo json_encode($u, JSON_FORCE_OBJECT);'
    php_pdo php-fputcsv.csv '$o = fopen("php://output", "w"); fputcsv($o, array_keys($u[0])); foreach ($u as $r) fputcsv($o, $r);'
}

# php_pdo NAME CODE: makes NAME with a connection to SQLite in `$d` and the users in `$u`.
php_pdo() {
    make "$1" php -r '$d = new PDO("sqlite::memory:"); $d->exec(file_get_contents("seed.sql")); $q = "SELECT * FROM users ORDER BY id"; $u = $d->query($q)->fetchAll(PDO::FETCH_ASSOC); '"$2"
}

perl_exports() {
    has perl perl -MJSON::PP -e1 || return 0
    perl_pp perl-encode.json 'print $j->encode($u)'
    perl_pp perl-canonical.json 'print $j->canonical->encode($u)'
    perl_pp perl-pretty.json 'print $j->canonical->pretty->encode($u)'
    # ISO 8859-1, as comes out if `utf8` is forgotten.
    perl_pp perl-latin1.json 'print JSON::PP->new->canonical->encode($u)'
    # Perl's `split` knows no quotes: only the rows that have none.
    perl_pp perl-split.ndjson 'open $f, "<:encoding(UTF-8)", "users.csv"; chomp(my $h = <$f>); my @n = split /,/, $h; while (<$f>) { chomp; next if /"/; my %r; @r{@n} = split /,/; print $j->canonical->encode(\%r), "\n" }'
    if has perl perl -MText::CSV -e1; then
        perl_pp perl-text-csv.csv 'use Text::CSV; my $c = Text::CSV->new({eol => "\n", binary => 1}); binmode STDOUT, ":utf8"; my @n = qw(id user_name email first_name last_name ip_address gender country agent); $c->print(*STDOUT, \@n); $c->print(*STDOUT, [@{$_}{@n}]) for @$u'
    fi
}

# perl_pp NAME CODE: makes NAME with an encoder in `$j` and the users in `$u`.
perl_pp() {
    make "$1" perl -e 'use JSON::PP; open my $f, "<", "users.ndjson"; my $j = JSON::PP->new->utf8; my $u = [map { $j->decode($_) } <$f>]; '"$2"
}

ruby_exports() {
    has ruby ruby -rjson -rcsv -e1 || return 0
    ruby_rb ruby-generate.json 'puts JSON.generate(u)'
    ruby_rb ruby-pretty.json 'puts JSON.pretty_generate(u)'
    ruby_rb ruby-csv.csv 'print CSV.generate { |c| c << u[0].keys; u.each { |r| c << r.values } }'
    ruby_rb ruby-csv-numeric.json 'puts JSON.generate(CSV.read("users.csv", headers: true, converters: :numeric).map(&:to_h))'
    ruby_rb ruby-csv-rows.json 'puts JSON.generate(CSV.read("users.csv"))'
}

# ruby_rb NAME CODE: makes NAME with the users in `u`.
ruby_rb() {
    make "$1" ruby -Eutf-8 -rjson -rcsv -e "u = File.readlines('users.ndjson').map { |l| JSON.parse(l) }; $2"
}

miller_exports() {
    # --ojsonl came with Miller 6.
    has mlr mlr -n --ojsonl cat || return 0
    make mlr-json.json mlr --icsv --ojson cat users.csv
    make mlr-jsonl.ndjson mlr --icsv --ojsonl cat users.csv
    make mlr-no-stack.json mlr --icsv --ojson --no-jvstack cat users.csv
    make mlr-no-wrap.json mlr --icsv --ojson --no-jlistwrap cat users.csv
    make mlr-strings.ndjson mlr --icsv --ojsonl put '$id = string($id)' users.csv
    make mlr-float.ndjson mlr --icsv --ojsonl put '$id = fmtnum($id, "%.1f")' users.csv
    make mlr-csv.csv mlr --icsv --ocsv cat users.csv
    make mlr-csv-quote-all.csv mlr --icsv --ocsv --quote-all cat users.csv
    make mlr-csv-semicolon.csv mlr --icsv --ocsv --ofs ';' cat users.csv
    make mlr-tsv.tsv mlr --icsv --otsv cat users.csv
    make mlr-xtab.txt mlr --icsv --oxtab cat users.csv
    make mlr-two-headers.csv mlr --icsv --ocsv put 'NR == 4 { unset $gender }' users.csv
}

jo_exports() {
    has jo || return 0
    make jo.ndjson jo_lines
    make jo-array.json jo_array
}

jo_lines() {
    local id name email
    while IFS=, read -r id name email; do jo id="$id" user_name="$name" email="$email" gender=; done <names.csv
}

jo_array() { jo_lines | jo -a; }

gron_exports() {
    has gron || return 0
    make gron.txt gron users.json
    make gron-json.ndjson gron --json users.json
    make gron-ungron.json gron_and_back
}

gron_and_back() { gron users.json | gron --ungron; }

recutils_exports() {
    has csv2rec || return 0
    make recutils.rec csv2rec users.csv
    make recutils.csv rec2csv "$out/recutils.rec"
}

r_exports() {
    has Rscript Rscript -e 'library(jsonlite)' || return 0
    # One process for all, since R takes half a second to start.
    cat >exports.R <<'R'
suppressMessages(library(jsonlite))
u <- stream_in(file("users.ndjson"), verbose = FALSE)
to <- function(name) file.path(commandArgs(TRUE)[1], name)
json <- function(name, text) writeLines(enc2utf8(text), to(name), useBytes = TRUE)
json("r-toJSON.json", toJSON(u))
json("r-toJSON-null.json", toJSON(u, na = "null"))
json("r-toJSON-pretty.json", toJSON(u, pretty = TRUE))
json("r-toJSON-columns.json", toJSON(u, dataframe = "columns"))
json("r-toJSON-values.json", toJSON(u, dataframe = "values"))
json("r-toJSON-list.json", toJSON(lapply(seq_len(nrow(u)), function(i) as.list(u[i, ]))))
stream_out(u, file(to("r-stream_out.ndjson")), verbose = FALSE)
write.csv(u, to("r-write.csv.csv"), fileEncoding = "UTF-8")
write.csv(u, to("r-write.csv-plain.csv"), row.names = FALSE, na = "", fileEncoding = "UTF-8")
write.table(u, to("r-write.table.tsv"), sep = "\t", fileEncoding = "UTF-8")
write.csv2(u, to("r-write.csv2.csv"), row.names = FALSE, fileEncoding = "UTF-8")
R
    if LC_ALL=C.UTF-8 Rscript exports.R "$out" >/dev/null 2>errors; then
        (cd "$out" && printf 'made %s\n' r-*)
    else
        fail "R: $(head -c 300 errors)"
    fi
}

# PostgreSQL refuses to run as root.
as_postgres=()
if [ "$(id -u)" -eq 0 ] && id postgres >/dev/null 2>&1; then
    as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups --)
fi

# Makes $server, a folder that PostgreSQL's user can enter and whose path is short enough for a Unix
# socket: in FOLDER if that will do.
server_folder() {
    [ -z "$server" ] || return 0
    server=$out/.server
    rm -rf "$server"
    mkdir "$server"
    chmod 755 "$server"
    if [ ${#server} -gt 80 ] || ! "${as_postgres[@]}" test -x "$server" 2>/dev/null; then
        rm -rf "$server"
        server=$(mktemp -d)
        chmod 755 "$server"
    fi
}

# until_ready PID COMMAND…: waits, at most 15 seconds, until COMMAND succeeds or PID is gone.
until_ready() {
    local pid=$1 try
    shift
    for try in $(seq 150); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

postgres_exports() {
    local bin
    bin=$( (ls -d /usr/lib/postgresql/*/bin 2>/dev/null || true) | sort -V | tail -n 1)
    bin=${bin:-$(dirname "$(command -v initdb || echo /none/initdb)")}
    if ! [ -x "$bin/postgres" ] || ! [ -x "$bin/initdb" ]; then
        echo "skipped: PostgreSQL's server is not installed"
        return 0
    fi
    has psql || return 0
    server_folder
    mkdir "$server/pg"
    if [ "$(id -u)" -eq 0 ]; then chown postgres: "$server/pg"; fi
    if ! (cd "$server/pg" && "${as_postgres[@]}" "$bin/initdb" -D "$server/pg" -U postgres -A trust \
        -E UTF8 --locale=C --no-sync) >errors 2>&1; then
        fail "initdb: $(tail -n 3 errors)"
        return 0
    fi
    "${as_postgres[@]}" "$bin/postgres" -D "$server/pg" -k "$server/pg" -c listen_addresses= \
        -c fsync=off >"$server/pg-log" 2>&1 &
    postgres_pid=$!
    export PGHOST=$server/pg PGUSER=postgres PGDATABASE=postgres PGCLIENTENCODING=UTF8
    unset PGPORT PGSERVICE PGOPTIONS
    if ! until_ready "$postgres_pid" psql -X -q -c 'SELECT 1' ||
        ! psql -X -q -v ON_ERROR_STOP=1 -f seed.sql >errors 2>&1; then
        fail "PostgreSQL: $(tail -n 3 "$server/pg-log")"
        return 0
    fi
    psql_exports
    stop_postgres
}

psql_exports() {
    local lines='SELECT row_to_json(u) FROM users u ORDER BY id'
    make psql-json_agg.json psql -X -At -c 'SELECT json_agg(u ORDER BY id) FROM users u'
    make psql-json_agg-aligned.json psql -X -c 'SELECT json_agg(u ORDER BY id) FROM users u'
    make psql-json_agg-titled.json psql -X -A -c 'SELECT json_agg(u ORDER BY id) AS users FROM users u'
    make psql-json_agg-no-rows.json psql -X -At -c 'SELECT json_agg(u) FROM users u WHERE id > 5'
    make psql-jsonb_agg.json psql -X -At -c 'SELECT jsonb_agg(u ORDER BY id) FROM users u'
    make psql-jsonb_pretty.json psql -X -At -c 'SELECT jsonb_pretty(jsonb_agg(u ORDER BY id)) FROM users u'
    make psql-row_to_json.ndjson psql -X -At -c "$lines"
    make psql-row_to_json-pretty.json psql -X -At -c 'SELECT row_to_json(u, true) FROM users u ORDER BY id'
    make psql-row_to_json-rows.txt psql -X -c "$lines"
    make psql-record-separator.json-seq psql -X -At -R $'\x1e' -c "$lines"
    make psql-json_build_object.json psql -X -At -c "SELECT json_build_object('users', json_agg(u ORDER BY id)) FROM users u"
    make psql-json_object_agg.json psql -X -At -c 'SELECT json_object_agg(id, u ORDER BY id) FROM users u'
    make psql-json_agg-row.json psql -X -At -c "SELECT json_agg(row($fields) ORDER BY id) FROM users"
    make psql-json_build_array.json psql -X -At -c "SELECT json_agg(json_build_array($fields) ORDER BY id) FROM users"
    make psql-json_strip_nulls.json psql -X -At -c 'SELECT json_strip_nulls(json_agg(u ORDER BY id)) FROM users u'
    make psql-array_agg.txt psql -X -At -c 'SELECT array_agg(row_to_json(u) ORDER BY id) FROM users u'
    make psql-copy-json.ndjson psql -X -c "COPY ($lines) TO STDOUT"
    make psql-copy-json-array.json psql -X -c 'COPY (SELECT json_agg(u ORDER BY id) FROM users u) TO STDOUT'
    make psql-copy-json-csv.csv psql -X -c "COPY ($lines) TO STDOUT (FORMAT csv)"
    make psql-copy-csv.csv psql -X -c 'COPY (TABLE users ORDER BY id) TO STDOUT (FORMAT csv, HEADER)'
    make psql-copy-csv-force.csv psql -X -c 'COPY (TABLE users ORDER BY id) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)'
    make psql-copy-text.tsv psql -X -c 'COPY (TABLE users ORDER BY id) TO STDOUT'
    make psql-csv.csv psql -X --csv -c 'TABLE users ORDER BY id'
    make psql-unaligned.txt psql -X -A -c 'TABLE users ORDER BY id'
    make psql-expanded.txt psql -X -x -c 'TABLE users ORDER BY id'
    make psql-composite.txt psql -X -At -c 'SELECT u FROM users u ORDER BY id'
    if has php php -r 'exit(extension_loaded("pgsql") ? 0 : 1);'; then
        make php-pg_fetch_all.json php -r 'echo json_encode(pg_fetch_all(pg_query(pg_connect(""), "SELECT * FROM users ORDER BY id")));'
    fi
}

mariadb_exports() {
    has mariadbd || return 0
    has mariadb || return 0
    server_folder
    mkdir "$server/my"
    local user=()
    if [ "$(id -u)" -eq 0 ]; then user=(--user=root); fi
    # Without grant tables and InnoDB it starts in an empty folder, within a second.
    mariadbd --no-defaults "${user[@]}" --skip-grant-tables --skip-networking --innodb=OFF \
        --default-storage-engine=MyISAM --datadir="$server/my" --socket="$server/my/s" \
        --pid-file="$server/my/pid" >"$server/my/log" 2>&1 &
    mariadb_pid=$!
    export MARIADB_SOCKET=$server/my/s
    until_ready "$mariadb_pid" test -S "$MARIADB_SOCKET" || true
    echo 'CREATE DATABASE d CHARACTER SET utf8mb4; USE d; SET sql_mode = NO_BACKSLASH_ESCAPES;' |
        cat - seed.sql >my.sql
    if ! mariadb_client <my.sql >errors 2>&1; then
        fail "MariaDB: $(tail -n 3 "$server/my/log")"
        return 0
    fi
    mariadb_queries
    stop_mariadb
}

mariadb_client() {
    mariadb --no-defaults -S "$MARIADB_SOCKET" --default-character-set=utf8mb4 "$@"
}

mariadb_queries() {
    local rows='SELECT * FROM users ORDER BY id'
    local array="JSON_ARRAYAGG(JSON_OBJECT($pairs) ORDER BY id)"
    make mariadb-json_object.ndjson mariadb_client d -N -B -r -e "SELECT JSON_OBJECT($pairs) FROM users ORDER BY id"
    make mariadb-json_object-escaped.ndjson mariadb_client d -N -B -e "SELECT JSON_OBJECT($pairs) FROM users ORDER BY id"
    make mariadb-json_arrayagg.json mariadb_client d -N -B -r -e "SELECT $array FROM users"
    make mariadb-json_arrayagg-no-rows.json mariadb_client d -N -B -r -e "SELECT $array FROM users WHERE id > 5"
    make mariadb-json_arrayagg-titled.json mariadb_client d -B -r -e "SELECT $array AS users FROM users"
    make mariadb-json_arrayagg-cut.json mariadb_client d -N -B -r -e "SET group_concat_max_len = 1000; SELECT $array FROM users"
    make mariadb-json_detailed.json mariadb_client d -N -B -r -e "SELECT JSON_DETAILED($array) FROM users"
    make mariadb-json_objectagg.json mariadb_client d -N -B -r -e "SELECT JSON_OBJECTAGG(id, JSON_OBJECT($pairs)) FROM users"
    make mariadb-json_array.json mariadb_client d -N -B -r -e "SELECT JSON_ARRAYAGG(JSON_ARRAY($fields) ORDER BY id) FROM users"
    make mariadb-group_concat.json mariadb_client d -N -B -r -e "SELECT GROUP_CONCAT(JSON_OBJECT($pairs) ORDER BY id) FROM users"
    make mariadb-batch.tsv mariadb_client d -B -e "$rows"
    make mariadb-raw.tsv mariadb_client d -B -r -e "$rows"
    make mariadb-outfile.tsv mariadb_outfile o.tsv ''
    make mariadb-outfile.csv mariadb_outfile o.csv "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
    make mariadb-xml.xml mariadb_client d --xml -e "$rows"
    if has php php -r 'exit(extension_loaded("mysqli") ? 0 : 1);'; then
        make php-mysqli.json php -r '$d = new mysqli(null, "root", "", "d", 0, getenv("MARIADB_SOCKET")); $d->set_charset("utf8mb4"); echo json_encode($d->query("SELECT * FROM users ORDER BY id")->fetch_all(MYSQLI_ASSOC));'
    fi
}

# mariadb_outfile NAME OPTIONS: what SELECT … INTO OUTFILE writes.
mariadb_outfile() {
    mariadb_client d -e "SELECT * FROM users ORDER BY id INTO OUTFILE '$server/my/$1' $2" &&
        cat "$server/my/$1"
}

awk_exports
sqlite_exports
jq_exports
python_exports
node_exports
php_exports
perl_exports
ruby_exports
miller_exports
jo_exports
gron_exports
recutils_exports
r_exports
postgres_exports
mariadb_exports
exit "$failed"
