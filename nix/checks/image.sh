# Checks an image: its files, all of them, its size, and how it runs.
# usage: image.sh IMAGE EXECUTABLE; EXECUTABLE is the program that the image is of
set -euo pipefail

image=$1 executable=$2
program=$(basename "$executable")
# What a person waits for when the image is pulled.
bytes_max=15000000

fail() {
  printf '%s: %s\n' "$image" "$*" >&2
  exit 1
}

mkdir unpacked
tar --extract --file "$image" --directory unpacked
cd unpacked
config=$(jq --raw-output '.[0].Config' manifest.json)
mapfile -t layers < <(jq --raw-output '.[0].Layers[]' manifest.json)

bytes=$(stat --dereference --format %s "$image")
echo "$program: $bytes bytes compressed, ${#layers[@]} layers"
((bytes <= bytes_max)) || fail "it has $bytes bytes, and may have $bytes_max"

for layer in "${layers[@]}"; do
  echo "$layer:"
  tar --list --verbose --numeric-owner --file "$layer"
done | tee listing

# Files only, with what differs from one platform or update to the next left out.
for layer in "${layers[@]}"; do tar --list --file "$layer"; done |
  sed -E 's,^(\.?/)*,/,; s,/nix/store/[a-z0-9]{32}-,/nix/store/-,; s,/ld-linux[^/]*$,/ld-linux,' |
  grep -v '/$' | sort >files
sort >expected <<EXPECTED
/bin/$program
/nix/store/-muster-certificates/ca-bundle.crt
/nix/store/-muster-libraries/lib/ld-linux
/nix/store/-muster-libraries/lib/libc.so.6
/nix/store/-muster-libraries/lib/libgcc_s.so.1
/nix/store/-muster-libraries/lib/libm.so.6
EXPECTED
diff expected files >&2 || fail "it has other files than the program, its libraries and certificates"

# A change of the program is a change of its layer alone.
tar --list --file "${layers[-1]}" | grep -q nix && fail "the program's layer has more than the program"

expect() {
  jq --exit-status "$1" "$config" >/dev/null || fail "$2"
}
expect '.created == "1970-01-01T00:00:01Z" or .created == "1970-01-01T00:00:01+00:00"' "its time is not fixed"
expect '.config.User | test("^[1-9][0-9]*:[1-9][0-9]*$")' "its user is not a number other than root's"
expect ".config.Entrypoint == [\"/bin/$program\"]" "it does not start the program"
expect '.config.Labels | has("org.opencontainers.image.version")' "it does not say its version"
expect '.config.Labels | has("org.opencontainers.image.revision") | not' "every commit changes it"

# What is asked for health is a command that the program has.
mapfile -t health < <(jq --raw-output '.config.Healthcheck.Test // [] | .[2:][]' "$config")
"$executable" "${health[@]}" --help >/dev/null || fail "the program has no command ${health[*]}"
