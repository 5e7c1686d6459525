# The workers: process records, and write the roll. Each is a process of its own, and can be
# restarted, or be lost, without the others.
{ packagesFor }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.muster;
  program = lib.getExe' cfg.worker.package "muster-worker";
  inherit (cfg.settings.worker) roll;
  isOurs = roll == "/var/lib/muster";
  instances = lib.range 1 cfg.worker.instances;
  http = cfg.settings.worker.http or null;
  # Where the instance of this number serves its probes: one port after the other.
  httpOf =
    n:
    let
      parts = lib.splitString ":" http;
      host = lib.concatStringsSep ":" (lib.init parts);
      port = lib.toInt (lib.last parts);
    in
    "${host}:${toString (if port == 0 then 0 else port + n - 1)}";
  # The Redis that was set up here listens here alone, and nothing else is talked to.
  allIsHere = cfg.redis.enable && cfg.redis.bind == "127.0.0.1" && !(cfg.settings ? traces);
  template = lib.mkMerge [
    (import ./daemon.nix { inherit cfg lib; })
    {
      description = "Muster's worker %i";
      after = lib.mkIf cfg.server.enable [ "muster-server.service" ];
      partOf = [ "muster-workers.target" ];
      unitConfig.RequiresMountsFor = roll;
      serviceConfig = {
        ExecStart = "${program} --config ${cfg.configFile}";
        # Workers give way to a server and a store beside them. What comes last counts.
        SystemCallFilter = lib.mkAfter [ "setpriority" ];
        StateDirectory = lib.mkIf isOurs "muster";
        StateDirectoryMode = lib.mkIf isOurs "0750";
        ReadWritePaths = lib.mkIf (!isOurs) [ roll ];
        IPAddressDeny = lib.mkIf allIsHere "any";
        IPAddressAllow = lib.mkIf allIsHere "localhost";
      };
    }
  ];
in
{
  options.services.muster.worker = {
    enable = lib.mkEnableOption "Muster's workers, which process records and write the roll";

    package = lib.mkOption {
      type = lib.types.package;
      default = (packagesFor pkgs).worker;
      defaultText = lib.literalMD "the worker of this flake";
      description = "The package that has `muster-worker`, or another worker of that name.";
    };

    instances = lib.mkOption {
      type = lib.types.ints.positive;
      default = 5;
      example = 16;
      description = "How many workers there are: `muster-worker@1.service` and so on.";
    };
  };

  config = lib.mkIf cfg.worker.enable {
    services.muster.checks = [ program ];

    systemd.targets.muster-workers = {
      description = "Muster's workers";
      wantedBy = [ "multi-user.target" ];
      wants = map (n: "muster-worker@${toString n}.service") instances;
    };

    systemd.services = lib.mkMerge [
      { "muster-worker@" = template; }
      (lib.mkIf (http != null) (
        lib.listToAttrs (
          map (
            n:
            lib.nameValuePair "muster-worker@${toString n}" {
              overrideStrategy = "asDropin";
              environment.MUSTER_WORKER_HTTP = httpOf n;
            }
          ) instances
        )
      ))
    ];
  };
}
