# The programs under their own names, made with the packages that the overlay is applied to.
bundleOf: final: _:
let
  inherit (bundleOf final) programs;
in
{
  inherit (programs) muster;
  muster-client = programs.client;
  muster-server = programs.server;
  muster-worker = programs.worker;
}
