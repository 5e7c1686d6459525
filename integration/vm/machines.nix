# The machines of a NixOS test as data, for those that stand in for them: `nodes.py` makes their
# files of it. A function of the test's `nodes`.
nodes:
let
  inherit (builtins)
    attrNames
    attrValues
    filter
    listToAttrs
    map
    match
    ;
  matching = pattern: filter (name: match pattern name != null);
  names = pattern: set: matching pattern (attrNames set);
  pair = name: value: { inherit name value; };

  programOf =
    package: package.meta.mainProgram or (builtins.parseDrvName (package.name or "")).name;

  mounted =
    systems:
    map (system: system.mountPoint) (filter (system: system.fsType == "nfs4") (attrValues systems));
  exported =
    nfs: if nfs.enable then [ (builtins.head (builtins.split " " nfs.exports)) ] else [ ];

  machine =
    node:
    let
      unitNames = names "(muster|redis)-.*" node.systemd.units;
      unit = name: node.systemd.units.${name};
      text = builtins.concatStringsSep "" (map (name: (unit name).text) unitNames);
      file =
        name:
        let
          entry = node.environment.etc.${name};
        in
        pair "/etc/${entry.target}" (
          if entry.text == null then { inherit (entry) source; } else { inherit (entry) text; }
        );
    in
    {
      units = listToAttrs (map (name: pair name (unit name).text) unitNames);
      enabled = filter (name: (unit name).wantedBy != [ ]) unitNames;
      # What makes the files and programs that the units name.
      derivations = attrNames (builtins.getContext text);
      programs = matching "muster.*" (map programOf node.environment.systemPackages);
      files = listToAttrs (map file (names "muster/.*" node.environment.etc));
      # The folder that one machine has, and the others see.
      shared = exported node.services.nfs.server ++ mounted node.virtualisation.fileSystems;
      users = names "muster|redis-.*" node.users.users;
      ports = node.networking.firewall.allowedTCPPorts;
    };
in
builtins.mapAttrs (_: machine) nodes
