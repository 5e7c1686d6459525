# The shell of `nix develop`: the toolchain, and what script/test and the checks use.
{ craneLib, pkgs }:
let
  inherit (pkgs) lib stdenv;
in
craneLib.devShell {
  packages = [
    pkgs.cargo-audit
    pkgs.cargo-deny
    pkgs.cargo-nextest
    pkgs.chromium
    pkgs.deadnix
    pkgs.nixfmt
    pkgs.python3
    pkgs.redis
    pkgs.rust-analyzer
    pkgs.shellcheck
    pkgs.statix
    pkgs.taplo
  ]
  ++ lib.optional stdenv.hostPlatform.isLinux pkgs.strace
  ++ lib.optional (stdenv.hostPlatform.system == "x86_64-linux") pkgs.valgrind;
}
