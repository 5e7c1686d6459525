# What must hold of the NixOS module, and of Muster on machines. The machines need KVM.
{
  images,
  module,
  pkgs,
  programs,
}:
pkgs.lib.mapAttrs
  (
    _: file:
    import file {
      inherit images module pkgs;
      packages = programs;
    }
  )
  {
    module-refused = ./refused.nix;
    module-units = ./units.nix;
    vm-images = ./images.nix;
    vm-stack = ./stack.nix;
  }
