# The whole job on the sample data, in one process.
# usage: demo [FILE]; the roll is written to FILE, by default all_users.json

roll=$(realpath --no-symlinks "${1:-all_users.json}")
# So that what is rejected is named as users/8.json:17.
cd "$(dirname "$USERS")"

code=0
muster run users --output "$roll" || code=$?
# 3: all is done, and some records were not taken. The sample data has such records.
if [ "$code" != 3 ]; then
  echo "demo: the sample data gives exit code 3, not $code" >&2
  exit 1
fi
printf '\n%s:\n' "$roll"
head --lines 3 "$roll"
