# Muster on eight machines: Redis, the server, five workers, the client. What is tried on them is in
# integration/vm/stack.py.
{
  pkgs,
  module,
  packages,
  ...
}:
let
  inherit (pkgs) lib;

  # What all machines know. The password is in the store here, as this is a test.
  common = {
    imports = [ module ];
    services.muster.settings.durability = "synced";
  };
  reachesStore = {
    environment.etc."muster/store".text = "redis://:correct-horse@redis:6379\n";
    services.muster.storeFile = "/etc/muster/store";
  };

  # The workers share the folder of the roll by NFS 4, which keeps locks between machines. Its
  # server forgets those of a machine that was lost after 10 s, in place of 90.
  roll = "/srv/muster";
  # NFS knows users and groups by their numbers.
  sameUser = {
    users.users.muster.uid = 900;
    users.groups.muster.gid = 900;
  };

  worker = {
    imports = [
      common
      reachesStore
      sameUser
    ];
    services.muster.worker = {
      enable = true;
      instances = 1;
    };
    virtualisation.fileSystems."/var/lib/muster" = {
      device = "server:/";
      fsType = "nfs4";
      # A machine may be up before the server is: `retry` is in minutes.
      options = [
        "retry=10"
        "x-systemd.mount-timeout=10min"
        "nofail"
      ];
    };
  };
in
pkgs.testers.runNixOSTest {
  name = "muster-stack";
  globalTimeout = 1800;
  testScript = builtins.readFile ../../integration/vm/stack.py;

  nodes = {
    redis = {
      imports = [ common ];
      environment.etc."muster/password".text = "correct-horse\n";
      services.muster.redis = {
        enable = true;
        bind = "0.0.0.0 ::";
        openFirewall = true;
        passwordFile = "/etc/muster/password";
      };
    };

    server = {
      imports = [
        common
        reachesStore
        sameUser
      ];
      services.muster = {
        server.enable = true;
        server.openFirewall = true;
        settings.server = {
          inherit roll;
          listen = "[::]:50051";
          plain_text = true;
          anonymous = true;
        };
      };
      services.nfs.server = {
        enable = true;
        createMountPoints = true;
        exports = "${roll} 192.168.1.0/24(rw,no_root_squash,no_subtree_check,fsid=0)";
      };
      services.nfs.settings.nfsd = {
        grace-time = 10;
        lease-time = 10;
      };
      networking.firewall.allowedTCPPorts = [ 2049 ];
    };

    client = {
      imports = [ common ];
      environment.etc."muster/users".source = ../../examples/users;
      # The roll is held against what one process makes of the same input.
      environment.systemPackages = [ packages.muster ];
      services.muster = {
        client = {
          enable = true;
          paths = [ "/etc/muster/users" ];
          batch = "examples";
        };
        settings.client = {
          server = "http://server:50051";
          retry_for = "10m";
        };
      };
    };
  }
  // lib.genAttrs (map (n: "worker${toString n}") (lib.range 1 5)) (_: worker);
}
