# A Redis for the queue, set up so that it forgets nothing: see "What ok survives" in the README.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.muster;
  secretFile = import ./secret-file.nix { inherit lib; };
  ownPassword = "/var/lib/muster-redis/password";
  isSynced = (cfg.settings.durability or "accepted") == "synced";
  passwordFile = if cfg.redis.passwordFile == null then ownPassword else cfg.redis.passwordFile;
in
{
  options.services.muster.redis = {
    enable = lib.mkEnableOption "a Redis for Muster's queue, which forgets nothing";

    bind = mkOption {
      type = types.str;
      default = "127.0.0.1";
      example = "127.0.0.1 192.0.2.1";
      description = "The addresses that it listens on. This machine's own programs use 127.0.0.1.";
    };

    port = mkOption {
      type = types.port;
      default = 6379;
      example = 6380;
      description = "The port that it listens on.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether other machines can reach that port.";
    };

    passwordFile = mkOption {
      type = types.nullOr secretFile;
      default = null;
      example = "/run/secrets/muster-redis";
      description = ''
        A file that holds its password, letters and digits, on one line. By default a password is
        made up, which this machine alone knows.
      '';
    };
  };

  config = lib.mkIf cfg.redis.enable {
    services.muster.storeFile = lib.mkDefault "/run/muster-redis/store";

    services.redis.servers.muster = {
      enable = true;
      inherit (cfg.redis) bind port openFirewall;
      requirePassFile = passwordFile;
      appendOnly = true;
      appendFsync = if isSynced then "always" else "everysec";
      save = [ ]; # the append-only file has it all
      unixSocket = null;
      settings.maxmemory-policy = "noeviction";
    };
    systemd.services.redis-muster = {
      requires = [ "muster-redis-login.service" ];
      after = [ "muster-redis-login.service" ];
      startLimitIntervalSec = 0;
      serviceConfig = {
        Restart = "always";
        RestartSec = "1s";
      };
    };

    systemd.services.muster-redis-login = {
      description = "Password and URL of Muster's Redis";
      serviceConfig = import ./sandbox.nix // {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = pkgs.writeShellScript "muster-redis-login" ''
          set -euo pipefail
          password=${ownPassword}
          if [[ -n ''${CREDENTIALS_DIRECTORY:-} ]]; then
            password=$CREDENTIALS_DIRECTORY/password
          elif [[ ! -s $password ]]; then
            od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' >"$password"
          fi
          url="redis://:$(<"$password")@127.0.0.1:${toString cfg.redis.port}"
          echo "$url" >/run/muster-redis/store
        '';
        LoadCredential = lib.optional (cfg.redis.passwordFile != null) "password:${passwordFile}";
        StateDirectory = "muster-redis";
        StateDirectoryMode = "0700";
        RuntimeDirectory = "muster-redis";
        RuntimeDirectoryMode = "0700";
        UMask = "0077";
        RestrictAddressFamilies = "none";
        IPAddressDeny = "any";
      };
    };
  };
}
