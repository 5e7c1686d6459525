# Software bills of materials, in CycloneDX. A program's has the crates that it is compiled from, with
# licences and digests, and the libraries that it links; an image's has the program too, and what lies
# beside it. Made offline from the vendored crates.
{
  cargo,
  craneLib,
  pkgs,
  programs,
}:
let
  inherit (pkgs) lib stdenv;

  # A package of nixpkgs as a part of a bill.
  part = name: package: {
    type = "library";
    bom-ref = "${name}@${package.version}";
    inherit name;
    inherit (package) version;
    licenses = lib.concatMap (
      license: lib.optional (license ? spdxId) { license.id = license.spdxId; }
    ) (lib.toList (package.meta.license or [ ]));
    purl = "pkg:nix/${name}@${package.version}";
  };
  given = pkgs.writeText "muster-sbom.json" (
    builtins.toJSON {
      lock = lib.importTOML ../Cargo.lock;
      linked = [
        (part "glibc" stdenv.cc.libc)
        (part "libgcc" stdenv.cc.cc)
      ];
    }
  );
  target = stdenv.hostPlatform.rust.rustcTarget;

  ofProgram =
    _: program:
    craneLib.mkCargoDerivation (
      cargo.lookOnly
      // {
        inherit (program) pname;
        pnameSuffix = "-sbom";
        nativeBuildInputs = [ pkgs.jq ];
        buildPhaseCargoCommand = ''
          cargo metadata --locked --format-version 1 --filter-platform ${target} > metadata.json
          cargo tree --locked --package ${program.pname} --target ${target} --edges no-dev \
            --prefix none --no-dedupe > tree.txt
        '';
        installPhaseCommand = ''
          mkdir $out
          jq --from-file ${./sbom.jq} --arg program ${program.pname} --rawfile tree tree.txt \
            --slurpfile given ${given} metadata.json > $out/${program.pname}.cdx.json
        '';
      }
    );

  # What nix/images.nix lays beside the program, and the program does not link.
  beside = pkgs.writeText "muster-image-sbom.json" (
    builtins.toJSON [ (part (lib.getName pkgs.cacert) pkgs.cacert) ]
  );
  ofImage =
    name: sbom:
    pkgs.runCommand "${programs.${name}.pname}-image-sbom" { nativeBuildInputs = [ pkgs.jq ]; } ''
      mkdir $out
      jq --from-file ${./image-sbom.jq} --slurpfile beside ${beside} \
        ${sbom}/${programs.${name}.pname}.cdx.json > $out/${programs.${name}.pname}-image.cdx.json
    '';
  sboms = lib.mapAttrs ofProgram programs;
in
{
  programs = sboms;
  images = lib.mapAttrs ofImage sboms;
}
