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
    assertions =
      let
        said = key: cfg.settings.server ? ${key};
        says = key: cfg.settings.server.${key} or false;
      in
      lib.optionals cfg.server.openFirewall [
        {
          assertion = said "tls_cert" || says "plain_text";
          message = ''
            services.muster.server.openFirewall lets others reach the server. Name a certificate in
            settings.server.tls_cert and tls_key; or, if nobody can listen on the way, set
            settings.server.plain_text = true.
          '';
        }
        {
          assertion = said "access" || says "anonymous";
          message = ''
            services.muster.server.openFirewall lets others reach the server. Name a list of who may
            do what in settings.server.access; or, if everyone may do everything, set
            settings.server.anonymous = true.
          '';
        }
      ];
    networking.firewall.allowedTCPPorts = lib.mkIf cfg.server.openFirewall [ port ];

    systemd.services.muster-server = lib.mkMerge [
      (import ./daemon.nix { inherit cfg lib; })
      {
        description = "Muster's server";
        wantedBy = [ "multi-user.target" ];
        serviceConfig = {
          ExecStart = "${program} --config ${cfg.configFile}";
          # Each connection is one.
          LimitNOFILE = 65536;
        };
      }
    ];
  };
}
