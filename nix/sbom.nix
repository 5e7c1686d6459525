# A software bill of materials for each program, in CycloneDX: the crates that it is compiled from,
# with licences and digests, and the libraries that it links. Made offline from the vendored crates.
{
  cargo,
  craneLib,
  pkgs,
  programs,
}:
let
  inherit (pkgs) lib stdenv;
  given = pkgs.writeText "muster-sbom.json" (
    builtins.toJSON {
      lock = lib.importTOML ../Cargo.lock;
      linked = [
        {
          name = "glibc";
          inherit (stdenv.cc.libc) version;
        }
        {
          name = "libgcc";
          inherit (stdenv.cc.cc) version;
        }
      ];
    }
  );
  target = stdenv.hostPlatform.rust.rustcTarget;

  sbom =
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
in
lib.mapAttrs sbom programs
