# What the module refuses: secrets in the store, and a port that is open to all, when it is evaluated;
# wrong settings when the system is built.
{ pkgs, module, ... }:
let
  inherit (pkgs) lib;
  machine =
    settings:
    (pkgs.testers.runNixOSTest {
      name = "refused";
      nodes.machine = {
        imports = [ module ];
        services.muster = lib.mkMerge [
          { server.enable = true; }
          settings
        ];
      };
      testScript = "";
    }).nodes.machine;

  evaluates = settings: (builtins.tryEval (machine settings).services.muster.storeFile).success;
  failed = settings: lib.filter (a: !a.assertion) (machine settings).assertions;
  isRefused = settings: lib.any (a: lib.hasInfix "services.muster" a.message) (failed settings);

  # An open port, with these settings of the server.
  open =
    keys:
    let
      values = {
        tls_cert = "/etc/muster/cert.pem";
        access = "/etc/muster/access.toml";
        plain_text = true;
        anonymous = true;
      };
    in
    {
      server.openFirewall = true;
      settings.server = lib.getAttrs keys values;
    };

  claims = {
    "a secret is outside of the store" = evaluates { storeFile = "/run/secrets/store"; };
    "a secret is not in the store" = !evaluates { storeFile = "${builtins.storeDir}/secret"; };
    "a secret is no path that would be copied there" = !evaluates { storeFile = ./refused.nix; };
    "a URL without a password may be a setting" =
      !isRefused { settings.store = "redis://redis:6379/1"; };
    "one with a password may not" = isRefused { settings.store = "redis://:secret@redis:6379"; };
    "the store is named once" = isRefused {
      settings.store = "redis://redis:6379";
      storeFile = "/run/secrets/store";
    };
    "a key is a path outside of the store" = !isRefused { settings.server.tls_key = "/run/key.pem"; };
    "a key is not in the store" = isRefused { settings.server.tls_key = ./refused.nix; };
    "nor is a client's" = isRefused { settings.client.tls_key = "${builtins.storeDir}/key.pem"; };
    "nor is the password of sentinels" = isRefused { settings.sentinel_password = "secret"; };
    "nor in a section" = isRefused { settings.worker.sentinel_password = "secret"; };
    "nor is a token" = isRefused { settings.client.token = "secret"; };
    "an open port may have TLS and a list" =
      !isRefused (open [
        "tls_cert"
        "access"
      ]);
    "it may say that it has none" =
      !isRefused (open [
        "plain_text"
        "anonymous"
      ]);
    "it may not lack TLS" = isRefused (open [ "access" ]);
    "it may not lack a list" = isRefused (open [ "tls_cert" ]);
  };
  wrong = lib.attrNames (lib.filterAttrs (_: holds: !holds) claims);

  misspelt = (machine { settings.server.lisen = "[::]:1"; }).services.muster.configFile;
in
assert lib.assertMsg (wrong == [ ]) "not so: ${lib.concatStringsSep "; " wrong}";
pkgs.runCommand "muster-refused" { failed = pkgs.testers.testBuildFailure misspelt; } ''
  if ! grep -F 'is no setting; did you mean `listen`?' "$failed/testBuildFailure.log"; then
    cat "$failed/testBuildFailure.log"
    exit 1
  fi
  touch "$out"
''
