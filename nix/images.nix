# OCI images: the program, the libraries that it links, CA certificates, and nothing else.
#
# The libraries and the certificates are a layer each, which only an update of nixpkgs changes; the
# program is in the last layer, alone. There is no shell: the health check is the program itself.
{ pkgs, programs }:
let
  inherit (pkgs) lib stdenv;
  loader = baseNameOf stdenv.cc.bintools.dynamicLinker;

  # glibc's package has much that no program opens. References of its files to it are taken out.
  libraries = pkgs.runCommand "muster-libraries" { nativeBuildInputs = [ pkgs.nukeReferences ]; } ''
    mkdir -p $out/lib
    cp -L ${lib.getLib stdenv.cc.libc}/lib/{${loader},libc.so.6,libm.so.6} $out/lib/
    cp -L ${lib.getLib pkgs.libgcc}/lib/libgcc_s.so.1 $out/lib/
    chmod u+w $out/lib/*
    nuke-refs $out/lib/*
  '';
  certificates = pkgs.runCommand "muster-certificates" { } ''
    install -D -m 444 ${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt $out/ca-bundle.crt
  '';

  # The program, with those libraries in place of the packages that it was linked with.
  onLibraries =
    program:
    pkgs.runCommand "${program.meta.mainProgram}-alone" { nativeBuildInputs = [ pkgs.patchelf ]; } ''
      install -D ${lib.getExe program} $out/bin/${program.meta.mainProgram}
      cd $out/bin
      for library in $(patchelf --print-needed *); do
        if [ ! -e ${libraries}/lib/$library ]; then
          echo "$library is not among the libraries of the images" >&2
          exit 1
        fi
      done
      patchelf --set-interpreter ${libraries}/lib/${loader} --set-rpath ${libraries}/lib *
    '';

  # nobody. A number needs no passwd file.
  user = "65534:65534";

  image =
    name:
    {
      command ? [ ],
      environment ? { },
      ports ? [ ],
      state ? false,
      health ? null,
    }:
    let
      program = programs.${name};
      alone = onLibraries program;
      executable = "/bin/${program.meta.mainProgram}";
    in
    pkgs.dockerTools.buildLayeredImage {
      name = program.meta.mainProgram;
      # The version is a label: compose.yaml need not be changed for a release.
      tag = "latest";
      created = "1970-01-01T00:00:01Z";
      extraCommands = "install -D ${alone}${executable} .${executable}";
      # A volume that is new has the owner of the folder that it is mounted on.
      fakeRootCommands = lib.optionalString state ''
        install -d -m 750 data
        chown ${user} data
      '';
      config = {
        Entrypoint = [ executable ];
        Cmd = command;
        User = user;
        Env = lib.mapAttrsToList (variable: value: "${variable}=${value}") (
          environment // { SSL_CERT_FILE = "${certificates}/ca-bundle.crt"; }
        );
        ExposedPorts = lib.genAttrs (map (port: "${toString port}/tcp") ports) (_: { });
        Volumes = lib.optionalAttrs state { "/data" = { }; };
        Labels = {
          "org.opencontainers.image.title" = program.meta.mainProgram;
          "org.opencontainers.image.description" = program.meta.description;
          "org.opencontainers.image.licenses" = program.meta.license.spdxId;
          "org.opencontainers.image.version" = program.version;
        };
      }
      // lib.optionalAttrs (health != null) {
        Healthcheck = {
          Test = [
            "CMD"
            executable
          ]
          ++ health;
          # Nanoseconds.
          Interval = 10 * 1000000000;
          Timeout = 3 * 1000000000;
          StartPeriod = 10 * 1000000000;
          Retries = 3;
        };
      };
    };
in
lib.mapAttrs image {
  client = {
    command = [ "--help" ];
  };
  server = {
    environment = {
      MUSTER_SERVER_HTTP = "0.0.0.0:9181";
      MUSTER_SERVER_LISTEN = "0.0.0.0:50051";
      # It shows the roll, where it is given the workers' volume.
      MUSTER_SERVER_ROLL = "/data";
    };
    ports = [
      9181
      50051
    ];
    state = true;
    health = [ "health" ];
  };
  worker = {
    environment = {
      MUSTER_WORKER_HTTP = "0.0.0.0:9181";
      MUSTER_WORKER_ROLL = "/data";
    };
    ports = [ 9181 ];
    state = true;
    health = [ "health" ];
  };
  muster = {
    command = [ "up" ];
    environment = {
      MUSTER_SERVER_HTTP = "0.0.0.0:9181";
      MUSTER_SERVER_LISTEN = "0.0.0.0:50051";
      MUSTER_STORE = "file:/data/muster.redb";
      MUSTER_WORKER_ROLL = "/data";
    };
    ports = [
      9181
      50051
    ];
    state = true;
    health = [
      "up"
      "health"
    ];
  };
}
