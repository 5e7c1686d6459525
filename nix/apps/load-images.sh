# Loads the images of the programs into docker or podman, whichever there is.

for engine in docker podman ""; do
  if command -v "$engine" >/dev/null; then break; fi
done
if [ -z "$engine" ]; then
  echo "load-images: neither docker nor podman is here" >&2
  exit 1
fi
for image in "${IMAGES[@]}"; do
  "$engine" load --input "$image"
done
