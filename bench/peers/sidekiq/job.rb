# What a worker does with a record.

require "json"
require "logger"
require "sidekiq"

# Debian's Sidekiq is older than its redis.
Redis.silence_deprecations = true
Sidekiq.logger = Logger.new($stderr, level: Logger::WARN)
Sidekiq.configure_server do |config|
  config.on(:startup) { $stdout.syswrite("ready\n") }
end

class Users
  include Sidekiq::Worker

  def perform(record)
    Sidekiq.redis { |redis| redis.rpush("res", JSON.generate(record)) }
  end
end
