# The NixOS module `services.muster`, part by part. `packagesFor pkgs` has the programs, so that no
# overlay is needed.
{ packagesFor }:
{ lib, ... }:
let
  part = file: lib.modules.importApply file { inherit packagesFor; };
in
{
  imports = [
    ./module/settings.nix
    ./module/redis.nix
    (part ./module/server.nix)
    (part ./module/worker.nix)
    (part ./module/client.nix)
  ];
}
