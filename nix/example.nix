# A whole Muster on one machine: Redis, server, five workers, and a client that sends what lies in a
# folder every hour. Others send to it as well, if they are on its list.
{
  services.muster = {
    redis.enable = true;
    server.enable = true;
    worker.enable = true;
    client = {
      enable = true;
      paths = [ "/srv/users" ];
      startAt = "hourly";
      tokenFile = "/run/secrets/muster-token";
    };

    settings = {
      durability = "synced";
      server = {
        listen = "[::]:50051";
        tls_cert = "/var/lib/acme/muster.example.org/fullchain.pem";
        tls_key = "/var/lib/acme/muster.example.org/key.pem";
        access = "/etc/muster/access.toml";
        deadline = "2h";
      };
      client.server = "https://muster.example.org:50051";
    };
    server.openFirewall = true;
  };
}
