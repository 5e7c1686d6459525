# What the units of the server and of the workers have in common.
{
  cfg, # config.services.muster
  lib,
}:
let
  # A store that was set up here is waited for. Any other may come later, and restart at will.
  store = lib.optional cfg.redis.enable "redis-muster.service";
in
{
  after = [ "network.target" ] ++ store;
  wants = store;
  startLimitIntervalSec = 0;
  serviceConfig = import ./sandbox.nix // {
    Type = "notify";
    WatchdogSec = lib.mkDefault "30s";
    Restart = "always";
    RestartSec = lib.mkDefault "1s";
    # More than the programs' `grace`, 10 s.
    TimeoutStopSec = lib.mkDefault "20s";
    User = "muster";
    Group = "muster";
    # The programs look for it by this name.
    LoadCredential =
      lib.optional (cfg.storeFile != null) "muster.store:${cfg.storeFile}"
      ++ lib.optional (
        cfg.sentinelPasswordFile != null
      ) "muster.sentinel_password:${cfg.sentinelPasswordFile}";
  };
}
