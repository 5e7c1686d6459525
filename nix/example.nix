# A whole Muster on one machine: Redis, server, five workers, and a client that sends what lies in a
# folder every hour.
{
  services.muster = {
    redis.enable = true;
    server.enable = true;
    worker.enable = true;
    client = {
      enable = true;
      paths = [ "/srv/users" ];
      startAt = "hourly";
    };

    settings = {
      durability = "synced";
      server.listen = "[::]:50051";
      server.deadline = "2h";
    };
    server.openFirewall = true;
  };
}
