# Formats the project's Rust, TOML and Nix, run in its folder.
{ pkgs }:
pkgs.writeShellApplication {
  name = "format";
  meta.description = "Formats Rust, TOML and Nix";
  runtimeInputs = [
    pkgs.cargo
    pkgs.git
    pkgs.nixfmt
    pkgs.rustfmt
    pkgs.taplo
  ];
  text = ''
    cd "$(git rev-parse --show-toplevel)"
    cargo fmt --all
    taplo fmt
    git ls-files -z '*.nix' | xargs -0 nixfmt
  '';
}
