#!/usr/bin/env python3
"""Makes of a NixOS test's machines what a machine that is no NixOS needs to stand in for them.

    nix eval --json .#checks.x86_64-linux.vm-stack.nodes \\
        --apply "$(cat integration/vm/machines.nix)" > machines.json
    integration/vm/nodes.py machines.json --programs target/release --out DIR

DIR/NAME then holds the files of the machine NAME: the very units that the module renders, what
they name, and Muster's programs; DIR/nodes.toml says what is to be enabled. The units' programs are
the machine's own (/usr/bin) in place of the Nix store's. The folder that the machines share over NFS
is in /tmp/shared, which the test's driver gives all of them: on containers, which share a kernel, with
locks that hold among all, on virtual machines with locks of each by itself.
"""

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path

STORE_PROGRAM = re.compile(r"/nix/store/[\w.+-]+/bin/")
STORE_FILE = re.compile(r"/nix/store/[\w.+-]+(?![\w.+/-])")
# NixOS gives each unit a PATH and data of its own; the machine has others.
FOREIGN = re.compile(r'^Environment="(PATH|LOCALE_ARCHIVE|TZDIR)=.*\n', re.M)

MOUNT = """[Unit]
RequiresMountsFor=/tmp/shared

[Mount]
What=/tmp/shared/nfs
Where={where}
Type=none
Options=bind
"""

# What a unit gets by LoadCredential is mounted for it, and comes to it from systemd's own mounts:
# in a container these pass nothing on unless told to.
PROPAGATE = """[Unit]
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=mount --make-rshared /

[Install]
WantedBy=sysinit.target
"""


def nix_store(*arguments):
    run = subprocess.run(["nix-store", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout.split()


class Machine:
    def __init__(self, root, machine, programs):
        self.root, self.programs = root, programs
        self.makers = {
            path: maker
            for maker in machine["derivations"]
            for path in nix_store("-q", "--outputs", maker)
        }
        self.enabled = list(machine["enabled"])
        for name, text in machine["units"].items():
            self.put(f"/etc/systemd/system/{name}", FOREIGN.sub("", text))
        self.put("/etc/systemd/system/propagate.service", PROPAGATE)
        self.enabled.append("propagate.service")
        for where in machine["shared"]:
            unit = where.strip("/").replace("/", "-") + ".mount"
            self.put(f"/etc/systemd/system/{unit}", MOUNT.format(where=where))
            self.enabled.append(unit)
        for name in machine["programs"]:
            self.add_program(name)
        for path, file in machine["files"].items():
            if "text" in file:
                self.put(path, file["text"])
            else:
                self.copy(Path(file["source"]), path)

    def path(self, target):
        path = self.root / target.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, target, text, mode=0o644):
        """A file, and what it names."""
        for program in re.findall(STORE_PROGRAM.pattern + r"([\w-]+)", text):
            self.add_program(program)
        for file in set(STORE_FILE.findall(text)):
            self.add_store_file(file)
        path = self.path(target)
        path.write_text(STORE_PROGRAM.sub("/usr/bin/", text))
        path.chmod(mode)

    def copy(self, source, target):
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, self.path(target))

    def add_program(self, name):
        if (self.programs / name).exists():
            shutil.copy(self.programs / name, self.path(f"/usr/bin/{name}"))

    def add_store_file(self, file):
        if self.path(file).exists():
            return
        if file in self.makers:
            nix_store("--realise", self.makers[file])
        source = Path(file)
        self.put(file, source.read_text(), source.stat().st_mode | 0o200)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("machines", type=Path, help="what machines.nix gives, as JSON")
    parser.add_argument("--programs", type=Path, required=True, help="the folder of the programs")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, anew")
    args = parser.parse_args()

    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    toml = ["[defaults]\nmemory = 512\n"]
    for name, machine in json.loads(args.machines.read_text()).items():
        enabled = Machine(args.out / name, machine, args.programs).enabled
        # A list of JSON is one of TOML.
        toml += [
            f"[nodes.{name}]",
            f'files = {{ "/" = "{name}" }}',
            f"enable = {json.dumps(enabled)}",
            f"users = {json.dumps(machine['users'])}",
            f"open_tcp_ports = {json.dumps(machine['ports'])}\n",
        ]
    (args.out / "nodes.toml").write_text("\n".join(toml))


if __name__ == "__main__":
    main()
