# What all programs share: one file of settings, checked when the system is built, the store's
# secret, and a user.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.muster;
  format = pkgs.formats.toml { };
  secretFile = import ./secret-file.nix { inherit lib; };
  keys = lib.catAttrs "tls_key" (lib.filter lib.isAttrs (lib.attrValues cfg.settings));
in
{
  options.services.muster = {
    settings = mkOption {
      type = types.submodule {
        freeformType = format.type;
        options.server.listen = mkOption {
          type = types.str;
          default = "127.0.0.1:50051";
          example = "[::]:50051";
          description = ''
            Where the server takes records in. On an address that other machines reach it wants
            `server.tls_cert` and `server.tls_key`, or `server.plain_text`; and `server.access`, or
            `server.anonymous`.
          '';
        };
        options.worker.roll = mkOption {
          type = types.path;
          default = "/var/lib/muster";
          example = "/srv/roll";
          description = ''
            The folder of the roll, which all workers of a store share. Another than the default
            must exist, and belong to the user `muster`.
          '';
        };
      };
      default = { };
      example = {
        durability = "synced";
        server.deadline = "2h";
        worker.check_email = false;
      };
      description = ''
        The settings of all programs, as `muster-server --dump-config` and `muster-worker
        --dump-config` show them. The programs check them while the system is built: a key that
        they do not know fails the build.
      '';
    };

    storeFile = mkOption {
      type = types.nullOr secretFile;
      default = null;
      example = "/run/secrets/muster-store";
      description = ''
        A file that holds the URL of the store, in place of `settings.store`, because there is a
        password in it. Only root need be able to read it. With `redis.enable` it is that Redis,
        unless said otherwise.
      '';
    };

    sentinelPasswordFile = mkOption {
      type = types.nullOr secretFile;
      default = null;
      example = "/run/secrets/muster-sentinel";
      description = ''
        A file that holds the password that the sentinels of the store ask for, if they do. Their user
        (ACL) is `settings.sentinel_user`. Only root need be able to read it.
      '';
    };

    configFile = mkOption {
      type = types.path;
      readOnly = true;
      description = "The settings as the programs read them, after they have checked them.";
    };

    checks = mkOption {
      type = types.listOf types.str;
      internal = true;
      default = [ ];
      description = "The commands that check the file of settings, each by its options alone.";
    };
  };

  config = lib.mkIf (cfg.server.enable || cfg.worker.enable || cfg.client.enable) {
    services.muster.configFile =
      pkgs.runCommand "muster.toml" { unchecked = format.generate "muster.toml" cfg.settings; }
        ''
          ${lib.concatMapStrings (check: ''
            ${check} --config "$unchecked" --check-config
          '') cfg.checks}
          cp "$unchecked" "$out"
        '';

    assertions = [
      {
        assertion = cfg.storeFile == null || !(cfg.settings ? store);
        message = "services.muster: `settings.store` and `storeFile` both name the store.";
      }
      {
        assertion = builtins.match "[^/]*//[^/]*:[^/]*@.*" (cfg.settings.store or "") == null;
        message = ''
          services.muster.settings.store has a password in it, and would be in the Nix store, where
          all can read it. Put the URL into a file, and name that in services.muster.storeFile.
        '';
      }
      {
        assertion =
          !(
            cfg.settings ? sentinel_password
            || cfg.settings ? server.sentinel_password
            || cfg.settings ? worker.sentinel_password
          );
        message = ''
          services.muster.settings.sentinel_password would be in the Nix store, where all can read it.
          Put it into a file, and name that in services.muster.sentinelPasswordFile.
        '';
      }
      {
        assertion = !(cfg.settings ? client.token);
        message = ''
          services.muster.settings.client.token would be in the Nix store, where all can read it. Put
          it into a file, and name that in services.muster.client.tokenFile.
        '';
      }
      {
        assertion = lib.all secretFile.check keys;
        message = ''
          services.muster.settings: a `tls_key` is in the Nix store, where all can read it. Name an
          absolute path outside of it, as a string.
        '';
      }
    ];

    users.users.muster = {
      isSystemUser = true;
      group = "muster";
      description = "Muster";
    };
    users.groups.muster = { };
  };
}
