# What must hold of the code, its dependencies, the apps and the images.
{
  advisory-db,
  apps,
  cargo,
  craneLib,
  images,
  pkgs,
  programs,
  sboms,
  sources,
}:
let
  inherit (pkgs) lib;

  # As script/test does: with the profile in which assertions are on.
  development = cargo.common // {
    src = sources.workspace;
    env.CARGO_PROFILE = "dev";
    cargoExtraArgs = "--locked --workspace";
  };
  dependencies = craneLib.buildDepsOnly development;
  onDependencies = development // {
    cargoArtifacts = dependencies;
    doInstallCargoArtifacts = false;
  };

  look =
    name: inputs: command:
    pkgs.runCommand "muster-${name}" { nativeBuildInputs = inputs; } ''
      ${command}
      touch $out
    '';

  # What the sandbox has not: a network, from which the Python client installs packages, and what
  # Chromium needs, which is fonts, and the right to build a sandbox of its own. Instructions are
  # counted with the C library that they were counted with before.
  inSandbox = "not (binary(python_client) | binary(browser) | binary(instructions) | (package(muster-integration) & (binary(dashboard) | test(/^another_origin::/))))";
in
{
  clippy = craneLib.cargoClippy (
    onDependencies // { cargoClippyExtraArgs = "--all-targets -- --deny warnings"; }
  );
  doc = craneLib.cargoDoc (
    onDependencies
    // {
      env = onDependencies.env // {
        RUSTDOCFLAGS = "--deny warnings";
      };
    }
  );
  doctest = craneLib.cargoDocTest onDependencies;
  nextest = craneLib.cargoNextest (
    onDependencies
    // {
      src = sources.tests;
      nativeBuildInputs = [ pkgs.redis ];
      # Some tests start programs and examples of other members.
      preCheck = "cargo build --locked --workspace --all-targets";
      cargoNextestExtraArgs = "--filterset ${lib.escapeShellArg inSandbox}";
    }
  );

  rustfmt = craneLib.cargoFmt (cargo.common // { src = sources.rustfmt; });
  toml = craneLib.taploFmt (cargo.common // { src = sources.toml; });
  deny = craneLib.cargoDeny (cargo.lookOnly // { src = sources.deny; });
  # What is known against a crate of Cargo.lock. Where the database cannot be had, an empty folder may
  # take its place.
  audit =
    if builtins.pathExists "${advisory-db}/crates" then
      craneLib.cargoAudit (
        cargo.common
        // {
          inherit advisory-db;
          src = sources.manifests;
        }
      )
    else
      look "audit" [ ] "echo 'skipped: there is no database of advisories here' >&2";
  nix =
    look "nix"
      [
        pkgs.deadnix
        pkgs.nixfmt
        pkgs.statix
      ]
      ''
        cd ${sources.nix}
        find . -name '*.nix' -exec nixfmt --check {} +
        deadnix --fail .
        statix check .
      '';

  apps =
    look "apps"
      [
        pkgs.jq
        pkgs.procps
      ]
      ''
        bash ${./checks/apps.sh} ${apps.default.program} ${apps.stack.program}
      '';

  # No path of the build is left in a program, nor in any file of an image.
  build-paths = look "build-paths" [ pkgs.gnugrep ] ''
    PROGRAMS="${lib.concatMapStringsSep " " lib.getExe (lib.attrValues programs)}" \
    IMAGES="${toString (lib.attrValues images)}" bash ${./checks/build-paths.sh}
  '';

  # Each bill names what Cargo.lock says of each crate, and no part twice; an image's has all of its
  # program's.
  sboms = look "sboms" [ pkgs.jq ] (
    lib.concatMapStrings (sbom: ''
      jq --exit-status --from-file ${./checks/sbom.jq} ${sbom}/*.json
    '') (lib.attrValues sboms.programs ++ lib.attrValues sboms.images)
  );
}
// lib.mapAttrs' (
  name: image:
  lib.nameValuePair "${name}-image" (
    look "${name}-image" [ pkgs.jq ] "bash ${./checks/image.sh} ${image} ${lib.getExe programs.${name}}"
  )
) images
