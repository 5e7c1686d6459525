# The units that the module makes of the example, held against a file: a change of them is seen. The
# example is that of docs/nixos.md.
{ pkgs, module, ... }:
let
  inherit (pkgs) lib;
  machine =
    (pkgs.testers.runNixOSTest {
      name = "units";
      nodes.machine.imports = [
        module
        ../example.nix
      ];
      testScript = "";
    }).nodes.machine;

  ours = lib.filterAttrs (name: _: lib.hasPrefix "muster-" name) machine.systemd.units;

  # /nix/store/HASH-muster-server-1.2/bin becomes STORE/muster-server/bin.
  withoutHashes =
    text:
    lib.concatMapStrings (piece: if lib.isList piece then "STORE/${lib.getName (lib.head piece)}" else piece) (
      builtins.split "${builtins.storeDir}/[a-z0-9]{32}-([^/ \"\n]*)" (
        builtins.unsafeDiscardStringContext text
      )
    );
  # What NixOS gives every unit changes with NixOS.
  isOurs =
    line: !lib.any (name: lib.hasPrefix "Environment=\"${name}=" line) [ "LOCALE_ARCHIVE" "PATH" "TZDIR" ];
  show =
    name: unit: "# ${name}\n" + lib.concatLines (lib.filter isOurs (lib.splitString "\n" (lib.trim unit.text)));

  rendered = pkgs.writeText "units.txt" (
    withoutHashes (lib.concatStringsSep "\n" (lib.mapAttrsToList show ours))
  );

  # Without the comment at its head.
  example = lib.concatLines (
    lib.filter (line: !lib.hasPrefix "#" line) (lib.splitString "\n" (lib.trim (lib.readFile ../example.nix)))
  );
in
assert lib.assertMsg (lib.hasInfix example (lib.readFile ../../docs/nixos.md))
  "docs/nixos.md does not have the example as it is in nix/example.nix";
pkgs.runCommand "muster-units"
  {
    inherit rendered;
    expected = ./units.txt;
    passthru = { inherit rendered; };
  }
  ''
    if ! diff -u "$expected" "$rendered"; then
      echo
      echo "The module's units are not those of nix/tests/units.txt. If they are meant to change, build"
      echo "the attribute \`rendered\` of this check, and copy the result there."
      exit 1
    fi
    touch "$out"
  ''
