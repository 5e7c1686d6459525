# All that is made for one system, from its packages, crane, and the database of advisories.
{
  pkgs,
  craneLib,
  advisory-db,
}:
let
  inherit (pkgs) lib;
  sources = import ./sources.nix { inherit lib; };
  cargo = import ./cargo.nix { inherit craneLib lib sources; };
  programs = import ./programs.nix {
    inherit
      cargo
      craneLib
      pkgs
      sources
      ;
  };
  images = import ./images.nix { inherit pkgs programs; };
  sboms = import ./sbom.nix {
    inherit
      cargo
      craneLib
      pkgs
      programs
      ;
  };
  suffixed = suffix: lib.mapAttrs' (name: lib.nameValuePair "${name}-${suffix}");
  apps = import ./apps.nix {
    inherit images pkgs programs;
    inherit (sources) examples;
  };
  module = lib.modules.importApply ./module.nix { packagesFor = _: programs; };
  checks =
    import ./checks.nix {
      inherit
        advisory-db
        apps
        cargo
        craneLib
        images
        pkgs
        programs
        sboms
        sources
        ;
    }
    // import ./tests {
      inherit
        images
        module
        pkgs
        programs
        ;
    };
in
{
  inherit apps checks programs;
  packages =
    programs
    // suffixed "image" images
    // suffixed "sbom" sboms.programs
    // suffixed "image-sbom" sboms.images
    // {
      default = programs.muster;
    };
  shell = import ./shell.nix { inherit craneLib pkgs; };
  formatter = import ./formatter.nix { inherit pkgs; };
}
