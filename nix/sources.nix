# What each derivation sees of the project: no more than it needs, so that an edit elsewhere does
# not build it again.
{ lib }:
let
  inherit (lib) fileset;
  tree =
    files:
    fileset.toSource {
      root = ../.;
      # The peers of the benchmark run programs of others, and the fuzzer has a compiler of its own:
      # they are none of the workspace.
      fileset = fileset.difference (fileset.unions files) (
        fileset.unions [
          (fileset.maybeMissing ../bench/peers)
          (fileset.maybeMissing ../fuzz/libfuzzer)
        ]
      );
    };
  named = matches: folders: fileset.unions (map (fileset.fileFilter matches) folders);
  code = [
    ../bench
    ../fuzz
    ../integration
    ../src
  ];

  # Cargo reads the manifests of all members, whichever it builds. Files that they name are made up
  # where they are missing: see nix/cargo.nix.
  manifests = [
    ../Cargo.lock
    ../Cargo.toml
    (named (file: file.name == "Cargo.toml") code)
  ];
  # The members of the workspace that a member depends on.
  dependencies =
    name:
    let
      all = lib.attrNames ((lib.importTOML ../src/${name}/Cargo.toml).dependencies or { });
    in
    map (lib.removePrefix "muster-") (lib.filter (lib.hasPrefix "muster-") all);
  # A member's own files: whatever lies in its src, such as the Lua of the queue, and what is compiled
  # into it.
  files = name: [
    ../src/${name}/src
    (fileset.maybeMissing ../src/${name}/build.rs)
    (fileset.maybeMissing ../src/${name}/askama.toml)
    (fileset.maybeMissing ../src/${name}/assets)
    (fileset.maybeMissing ../src/${name}/templates)
  ];
  # A program and all members that it depends on.
  program =
    name:
    let
      members = lib.genericClosure {
        startSet = [ { key = name; } ];
        operator = { key }: map (name: { key = name; }) (dependencies key);
      };
    in
    tree (manifests ++ [ ../proto ] ++ lib.concatMap ({ key }: files key) members);
  rust =
    manifests
    ++ [
      ../clippy.toml
      ../proto
      # The tests on machines are none of Cargo's.
      (fileset.difference (fileset.unions code) ../integration/vm)
    ];
in
{
  client = program "client";
  server = program "server";
  worker = program "worker";
  muster = program "muster";

  manifests = tree manifests;
  workspace = tree rust;
  # What the tests read besides the code.
  tests = tree (
    rust
    ++ [
      ../.config/nextest.toml
      ../README.md
      ../docs
      ../examples
      ../script
    ]
  );
  examples = tree [ ../examples/users ];

  rustfmt = tree (
    manifests
    ++ [
      ../rustfmt.toml
      (named (file: file.hasExt "rs") code)
    ]
  );
  deny = tree (manifests ++ [ ../deny.toml ]);
  toml = tree [
    ../.config/nextest.toml
    ../clippy.toml
    ../deny.toml
    ../rustfmt.toml
    ../taplo.toml
    (fileset.unions (lib.tail manifests))
  ];
  nix = tree [
    ../default.nix
    ../flake.nix
    (named (file: file.hasExt "nix") [
      ../integration/vm
      ../nix
    ])
  ];
}
