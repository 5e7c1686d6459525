# Looks for the folder of a build, which is the same for all builds, in what was built.
# usage: PROGRAMS="FILE..." IMAGES="FILE..." build-paths.sh
set -euo pipefail

fail() {
  echo "$1 names where it was built" >&2
  exit 1
}
path="$NIX_BUILD_TOP/source[[:graph:]]*"

for program in $PROGRAMS; do
  if grep --text --only-matching "$path" "$program"; then fail "$program"; fi
done

for image in $IMAGES; do
  # The layers are archives in an archive, and not compressed.
  rm -rf unpacked
  mkdir unpacked
  tar --extract --file "$image" --directory unpacked
  if grep --recursive --text --only-matching "$path" unpacked; then fail "$image"; fi
done
