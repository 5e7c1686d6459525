# The four programs. Their dependencies are compiled once; each is compiled from its own sources.
{
  cargo,
  craneLib,
  pkgs,
  sources,
}:
let
  inherit (pkgs) lib stdenv;
  names = [
    "client"
    "server"
    "worker"
    "muster"
  ];
  manifest = name: lib.importTOML ../src/${name}/Cargo.toml;
  package = name: (manifest name).package.name;
  select = name: "--locked --package ${package name}";

  # Code that a build script writes is compiled under the path that it was written to.
  withoutPaths = ''
    export CARGO_BUILD_RUSTFLAGS="--remap-path-prefix=$NIX_BUILD_TOP=."
  '';

  # Cargo unites the features of what is built together: a crate compiled for the whole workspace is
  # another one than for the client alone. So the dependencies are compiled for each program as the
  # program is compiled below; what has the same features in two of them is compiled once.
  dependencies = craneLib.buildDepsOnly (
    cargo.common
    // {
      src = sources.workspace;
      preBuild = withoutPaths;
      buildPhaseCargoCommand = lib.concatMapStrings (name: ''
        cargoWithProfile build ${select name}
      '') names;
      doCheck = false;
    }
  );

  # Man pages and completions come from the program itself, so it has to run where it is built.
  canRun = stdenv.buildPlatform.canExecute stdenv.hostPlatform;
  documentation = program: ''
    mkdir manual
    $out/bin/${program} manual manual
    installManPage manual/*
    for shell in bash fish zsh; do
      $out/bin/${program} completions $shell > completions.$shell
    done
    installShellCompletion --cmd ${program} completions.{bash,fish,zsh}
  '';

  build =
    name:
    craneLib.buildPackage (
      cargo.common
      // {
        pname = package name;
        src = sources.${name};
        postPatch = cargo.stubMembers;
        preBuild = withoutPaths;
        cargoArtifacts = dependencies;
        cargoExtraArgs = select name;
        # The tests are a check of their own.
        doCheck = false;
        nativeBuildInputs = [ pkgs.installShellFiles ];
        postInstall = lib.optionalString canRun (documentation (package name));
        # The program is all that is left of its build.
        disallowedReferences = [
          cargo.vendored
          pkgs.rustc.unwrapped
          sources.${name}
        ];
        meta = {
          inherit ((manifest name).package) description;
          license = lib.licenses.asl20;
          mainProgram = package name;
          platforms = lib.platforms.unix;
        };
      }
    );
in
lib.genAttrs names build
