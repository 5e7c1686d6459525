# The machines of a NixOS test as data, for those that stand in for them: `nodes.py` makes their
# files of it. A function of the test's `nodes`.
nodes:
let
  names = pattern: set: builtins.filter (name: builtins.match pattern name != null) (builtins.attrNames set);
  select = pattern: set: map (name: set.${name} // { inherit name; }) (names pattern set);
  inherit (builtins) listToAttrs map;
  pair = name: value: { inherit name value; };
  machine =
    node:
    let
      units = select "(muster|redis)-.*" node.systemd.units;
      text = builtins.concatStringsSep "" (map (unit: unit.text) units);
    in
    {
      units = listToAttrs (map (unit: pair unit.name unit.text) units);
      enabled = map (unit: unit.name) (builtins.filter (unit: unit.wantedBy != [ ]) units);
      # What makes the files and programs that the units name.
      derivations = builtins.attrNames (builtins.getContext text);
      programs = map (package: package.meta.mainProgram or (builtins.parseDrvName package.name).name) (
        builtins.filter (
          package: builtins.match "muster.*" (package.name or "") != null
        ) node.environment.systemPackages
      );
      files = listToAttrs (
        map (file: pair "/etc/${file.target}" (if file.text != null then { inherit (file) text; } else { inherit (file) source; })) (
          select "muster/.*" node.environment.etc
        )
      );
      shared = map (system: system.mountPoint) (
        builtins.filter (system: system.fsType == "nfs4") (builtins.attrValues node.virtualisation.fileSystems)
      );
      users = names "muster|redis-.*" node.users.users;
      ports = node.networking.firewall.allowedTCPPorts;
    };
in
builtins.mapAttrs (_: machine) nodes
