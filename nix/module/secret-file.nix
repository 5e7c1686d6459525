# The type of an option that names a secret: what is in the Nix store can be read by all.
{ lib }:
lib.types.addCheck lib.types.str (
  file: lib.hasPrefix "/" file && !lib.hasPrefix builtins.storeDir file
)
// {
  name = "secretFile";
  description = "absolute path outside of the Nix store, as a string";
}
