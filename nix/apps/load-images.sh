# Loads the images of the programs into docker or podman: the first of them that answers.

for engine in docker podman ""; do
  if [ -n "$engine" ] && "$engine" info >/dev/null 2>&1; then break; fi
done
if [ -z "$engine" ]; then
  echo "load-images: neither docker nor podman answers here" >&2
  exit 1
fi
for image in "${IMAGES[@]}"; do
  # Decompressed here: not every podman takes what is compressed.
  gzip --decompress --stdout "$image" | "$engine" load
done
