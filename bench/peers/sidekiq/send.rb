# Pushes each record as a job, in bulks of 1,000. usage: send.rb RECORDS_FILE COUNT

require_relative "job"

path, count = ARGV
records = File.foreach(path).map { |line| JSON.parse(line) }
arguments = records.cycle.first(Integer(count)).map { |record| [record] }
Sidekiq.redis(&:ping)
$stdout.syswrite("sending\n")
Users.perform_bulk(arguments)
$stdout.syswrite("sent\n")
