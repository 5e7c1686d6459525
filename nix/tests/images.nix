# The images of the server and of a worker under podman, on one machine. What is tried is in
# integration/vm/images.py. `images` are files that `podman load` takes.
{ pkgs, images, ... }:
let
  reference = image: "${image.imageName}:${image.imageTag}";
  container =
    name: options:
    options
    // {
      image = reference images.${name};
      imageFile = images.${name};
      extraOptions = [
        "--network=host"
        "--read-only"
        "--cap-drop=all"
      ];
    };
in
pkgs.testers.runNixOSTest {
  name = "muster-images";
  globalTimeout = 900;
  testScript = builtins.readFile ../../integration/vm/images.py;

  nodes.machine = {
    virtualisation.memorySize = 2048;
    virtualisation.diskSize = 4096;

    services.redis.servers.muster = {
      enable = true;
      port = 6379;
      appendOnly = true;
      settings.maxmemory-policy = "noeviction";
    };

    # The images' user has a number and no name.
    systemd.tmpfiles.rules = [ "d /srv/roll 0750 65534 65534 -" ];
    # The script runs the client's image by itself, once.
    environment.etc."muster/client-image".source = images.client;
    environment.etc."muster/client-name".text = reference images.client;
    environment.etc."muster/users".source = ../../examples/users;

    # Nobody signed them.
    virtualisation.containers.policy.default = [ { type = "insecureAcceptAnything"; } ];
    virtualisation.oci-containers.backend = "podman";
    virtualisation.oci-containers.containers = {
      server = container "server" {
        environment = {
          MUSTER_SERVER_PLAIN_TEXT = "true";
          MUSTER_SERVER_ANONYMOUS = "true";
        };
      };
      worker = container "worker" {
        volumes = [ "/srv/roll:/data" ];
        # On the host's network the server has the image's port.
        environment.MUSTER_WORKER_HTTP = "127.0.0.1:9182";
      };
    };
  };
}
