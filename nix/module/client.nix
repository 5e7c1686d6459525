# The client: sends files, once or by a calendar.
{ packagesFor }:
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.muster;
  program = lib.getExe' cfg.client.package "muster-client";
  secretFile = import ./secret-file.nix { inherit lib; };
  hasBatch = cfg.client.batch != null;
in
{
  options.services.muster.client = {
    enable = lib.mkEnableOption "Muster's client, as a service that sends files";

    package = mkOption {
      type = types.package;
      default = (packagesFor pkgs).client;
      defaultText = lib.literalMD "the client of this flake";
      description = "The package that has `muster-client`.";
    };

    paths = mkOption {
      type = types.nonEmptyListOf types.path;
      example = [ "/srv/users" ];
      description = "The files and folders to send. The user `muster` must be able to read them.";
    };

    batch = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "import";
      description = ''
        The batch that the records belong to. It counts once, however often it is sent: so a run
        that fails is repeated. Without it every run is a batch of its own, and is not repeated.
      '';
    };

    tokenFile = mkOption {
      type = types.nullOr secretFile;
      default = null;
      example = "/run/secrets/muster-token";
      description = ''
        A file that holds the token by which the server knows who sends. Only root need be able to
        read it.
      '';
    };

    startAt = mkOption {
      type = with types; either str (listOf str);
      default = [ ];
      example = "hourly";
      description = ''
        When to send, as {manpage}`systemd.time(7)` has it. By default once, when the machine
        starts.
      '';
    };
  };

  config = lib.mkIf cfg.client.enable {
    services.muster.checks = [ "${program} send" ];
    environment.systemPackages = [ cfg.client.package ];

    systemd.services.muster-client = {
      description = "Muster's client";
      inherit (cfg.client) startAt;
      wantedBy = lib.mkIf (cfg.client.startAt == [ ]) [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
      ]
      ++ lib.optional cfg.server.enable "muster-server.service"
      ++ lib.optional cfg.worker.enable "muster-workers.target";
      startLimitIntervalSec = 0;
      serviceConfig = import ./sandbox.nix // {
        Type = "oneshot";
        ExecStart = utils.escapeSystemdExecArgs (
          [
            program
            "send"
            "--wait"
            "--config"
            cfg.configFile
          ]
          ++ lib.optionals hasBatch [
            "--batch"
            cfg.client.batch
          ]
          ++ cfg.client.paths
        );
        # Done, but some records were rejected or are dead letters: the journal has them.
        SuccessExitStatus = 3;
        Restart = lib.mkIf hasBatch "on-failure";
        RestartSec = lib.mkIf hasBatch "30s";
        LoadCredential = lib.optional (cfg.client.tokenFile != null) "muster.token:${cfg.client.tokenFile}";
        User = "muster";
        Group = "muster";
        # A home has nothing but what is to be sent.
        ProtectHome = "tmpfs";
        BindReadOnlyPaths = cfg.client.paths;
      };
    };
  };
}
