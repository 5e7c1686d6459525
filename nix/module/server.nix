# The server: takes records in over gRPC.
{ packagesFor }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.muster;
  program = lib.getExe' cfg.server.package "muster-server";
  port = lib.toInt (lib.last (lib.splitString ":" cfg.settings.server.listen));
in
{
  options.services.muster.server = {
    enable = lib.mkEnableOption "Muster's server, which takes in records and queues them";

    package = lib.mkOption {
      type = lib.types.package;
      default = (packagesFor pkgs).server;
      defaultText = lib.literalMD "the server of this flake";
      description = "The package that has `muster-server`.";
    };

    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether other machines can reach the port of `settings.server.listen`.";
    };
  };

  config = lib.mkIf cfg.server.enable {
    services.muster.checks = [ program ];
    # The roll that is written on this machine is shown, and can be downloaded.
    services.muster.settings.server.roll = lib.mkIf cfg.worker.enable (
      lib.mkDefault cfg.settings.worker.roll
    );
    networking.firewall.allowedTCPPorts = lib.mkIf cfg.server.openFirewall [ port ];

    systemd.services.muster-server = lib.mkMerge [
      (import ./daemon.nix { inherit cfg lib; })
      {
        description = "Muster's server";
        wantedBy = [ "multi-user.target" ];
        serviceConfig.ExecStart = "${program} --config ${cfg.configFile}";
      }
    ];
  };
}
