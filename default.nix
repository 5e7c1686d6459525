# The bundle without flakes, from the same pins: nix-build -A server
let
  locked = (builtins.fromJSON (builtins.readFile ./flake.lock)).nodes;
  fetch =
    name:
    let
      pin = locked.${name}.locked;
    in
    fetchTarball {
      url = "https://github.com/${pin.owner}/${pin.repo}/archive/${pin.rev}.tar.gz";
      sha256 = pin.narHash;
    };
in
{
  system ? builtins.currentSystem,
  pkgs ? import (fetch "nixpkgs") { inherit system; },
  crane ? fetch "crane",
  advisory-db ? fetch "advisory-db",
}:
let
  bundle = import ./nix {
    inherit advisory-db pkgs;
    craneLib = import crane { inherit pkgs; };
  };
in
bundle.packages // { inherit (bundle) checks shell; }
