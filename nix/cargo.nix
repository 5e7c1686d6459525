# What every use of Cargo here has in common: name, version, and the vendored crates.
{
  craneLib,
  lib,
  sources,
}:
rec {
  inherit ((lib.importTOML ../Cargo.toml).workspace.package) version;

  # The crates of Cargo.lock, as files: no build reaches the network.
  vendored = craneLib.vendorCargoDeps { cargoLock = ../Cargo.lock; };

  common = {
    pname = "muster";
    inherit version;
    cargoVendorDir = vendored;
    strictDeps = true;
  };

  # Where a member has no sources, an empty library, and an empty program where a manifest names one.
  # --locked holds only if Cargo finds every member of the workspace, and it takes a manifest for one
  # only if there is something to compile.
  stubMembers = ''
    for manifest in bench/Cargo.toml fuzz/Cargo.toml integration/Cargo.toml integration/*/Cargo.toml src/*/Cargo.toml; do
      sources=$(dirname "$manifest")/src
      if [ ! -d "$sources" ]; then install -D /dev/null "$sources/lib.rs"; fi
    done
    if [ ! -e bench/benches/hot.rs ]; then install -D /dev/null bench/benches/hot.rs; fi
  '';

  # A look at the manifests and the vendored crates, with nothing compiled.
  lookOnly = common // {
    src = sources.manifests;
    postPatch = stubMembers;
    cargoArtifacts = null;
    doInstallCargoArtifacts = false;
  };
}
