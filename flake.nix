# Index of the bundle: what it is made from, and what it gives. Each output is made in nix/.
{
  description = "Muster: takes in user records, queues them durably, and writes one complete roll";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane";
    # What is known against crates. It is data, and made of nothing.
    advisory-db = {
      url = "github:rustsec/advisory-db";
      flake = false;
    };
  };

  outputs =
    {
      nixpkgs,
      crane,
      advisory-db,
      ...
    }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      bundleOf =
        pkgs:
        import ./nix {
          inherit advisory-db pkgs;
          craneLib = crane.mkLib pkgs;
        };
      bundles = lib.genAttrs systems (system: bundleOf nixpkgs.legacyPackages.${system});
      eachSystem = select: lib.mapAttrs (_: select) bundles;
    in
    {
      # client, server, worker, muster (the default); of each NAME-sbom, NAME-image, NAME-image-sbom.
      packages = eachSystem (bundle: bundle.packages);

      # The programs; the default is a demo, stack runs all of it, load-images loads the images.
      apps = eachSystem (bundle: bundle.apps);

      # What must hold: lints, tests, licences, advisories, formats, images, the module, and all of it on machines.
      checks = eachSystem (bundle: bundle.checks);

      # services.muster: Redis, the server, workers and the client as systemd units.
      nixosModules.default = lib.modules.importApply ./nix/module.nix {
        packagesFor = pkgs: (bundleOf pkgs).programs;
      };

      # Everything that development needs.
      devShells = eachSystem (bundle: {
        default = bundle.shell;
      });

      # Formats Rust, TOML and Nix.
      formatter = eachSystem (bundle: bundle.formatter);

      # Adds muster, muster-client, muster-server and muster-worker to nixpkgs.
      overlays.default = import ./nix/overlay.nix bundleOf;
    };
}
