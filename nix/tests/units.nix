# The units that the module makes of the example, held against a file: a change of them is seen. The
# example is that of docs/nixos.md.
{ pkgs, module, ... }:
let
  inherit (pkgs) lib;
  machine =
    settings:
    (pkgs.testers.runNixOSTest {
      name = "units";
      nodes.machine = {
        imports = [
          module
          ../example.nix
        ];
        services.muster = { inherit settings; };
      };
      testScript = "";
    }).nodes.machine;

  ours = lib.filterAttrs (name: _: lib.hasPrefix "muster-" name) (machine { }).systemd.units;

  # Where the workers serve their probes, if that is a setting.
  withHttp = machine { worker.http = "127.0.0.1:9182"; };
  httpOf = n: withHttp.systemd.services."muster-worker@${n}".environment.MUSTER_WORKER_HTTP;

  # /nix/store/HASH-muster-server-1.2/bin becomes STORE/muster-server/bin.
  storePath = "${builtins.storeDir}/[a-z0-9]{32}-([^/ \"\n]*)";
  withoutHashes =
    text:
    let
      pieces = builtins.split storePath (builtins.unsafeDiscardStringContext text);
      show = piece: if lib.isList piece then "STORE/${lib.getName (lib.head piece)}" else piece;
    in
    lib.concatMapStrings show pieces;

  # What NixOS gives every unit changes with NixOS.
  foreign = [
    "LOCALE_ARCHIVE"
    "PATH"
    "TZDIR"
  ];
  isOurs = line: !lib.any (name: lib.hasPrefix "Environment=\"${name}=" line) foreign;
  linesOf = text: lib.splitString "\n" (lib.trim text);
  show = name: unit: "# ${name}\n" + lib.concatLines (lib.filter isOurs (linesOf unit.text));

  rendered = pkgs.writeText "units.txt" (
    withoutHashes (lib.concatStringsSep "\n" (lib.mapAttrsToList show ours))
  );

  # Without the comment at its head.
  isCode = line: !lib.hasPrefix "#" line;
  example = lib.concatLines (lib.filter isCode (linesOf (lib.readFile ../example.nix)));
in
assert lib.assertMsg (lib.hasInfix example (lib.readFile ../../docs/nixos.md))
  "docs/nixos.md does not have the example as it is in nix/example.nix";
assert lib.assertMsg (
  httpOf "1" == "127.0.0.1:9182" && httpOf "5" == "127.0.0.1:9186"
) "the workers do not have a port each";
pkgs.runCommand "muster-units"
  {
    inherit rendered;
    expected = ./units.txt;
    passthru = { inherit rendered; };
  }
  ''
    if ! diff -u "$expected" "$rendered"; then
      echo
      echo "The module's units are not those of nix/tests/units.txt. If they are meant to change,"
      echo "build the attribute \`rendered\` of this check, and copy the result there."
      exit 1
    fi
    touch "$out"
  ''
