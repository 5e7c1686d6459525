# What `nix run` runs: the programs, a demo, the whole stack, and the loader of the images.
{
  examples,
  images,
  pkgs,
  programs,
}:
let
  inherit (pkgs) lib;
  app = package: {
    type = "app";
    program = lib.getExe package;
    meta.description = package.meta.description;
  };
  script =
    name: description:
    {
      environment ? { },
      inputs ? [ ],
    }:
    pkgs.writeShellApplication {
      inherit name;
      meta = { inherit description; };
      runtimeEnv = environment;
      runtimeInputs = [ pkgs.coreutils ] ++ inputs;
      text = builtins.readFile ./apps/${name}.sh;
    };
  users = "${examples}/examples/users";
in
lib.mapAttrs (_: app) (
  programs
  // {
    default = script "demo" "The whole job on the sample data, in one process" {
      environment.USERS = users;
      inputs = [ programs.muster ];
    };
    stack = script "stack" "Redis, a server, five workers and a client, until Ctrl-C" {
      environment.USERS = users;
      inputs = [
        pkgs.redis
        programs.client
        programs.server
        programs.worker
      ];
    };
    load-images = script "load-images" "Loads the images into docker or podman" {
      environment.IMAGES = lib.attrValues images;
      inputs = [ pkgs.gzip ];
    };
  }
)
