# What the peers in Python have in common. Sourced after peer.sh.
# shellcheck shell=bash disable=SC2154  # `here` and `peers` are from peer.sh

export PYTHONPATH=$here:$peers

# python_setup FOLDER PACKAGE: an environment with the peer's requirements, made once.
python_setup() {
  local folder=$1 package=$2 python=$1/venv/bin/python
  needs python3
  if ! cmp --quiet "$here/requirements.txt" "$folder/requirements.txt"; then
    mkdir -p "$folder"
    {
      python3 -m venv --clear "$folder/venv" &&
        "$python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    } >&2 || unavailable "the packages of requirements.txt cannot be installed by pip"
    cp "$here/requirements.txt" "$folder/requirements.txt"
  fi
  describe "$package" \
    "$("$python" -c "import importlib.metadata as m; print(m.version('$package'))")" \
    "$("$python" --version)"
}

# python_in FOLDER REDIS_PORT: what follows runs in that environment, on that Redis.
python_in() {
  export PATH=$1/venv/bin:$PATH PYTHONPYCACHEPREFIX=$1/pycache REDIS_PORT=$2
}
