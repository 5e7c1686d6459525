// Adds each record as a job, in bulks. usage: send.js RECORDS_FILE COUNT

const { readFileSync } = require("node:fs");
const { Queue } = require("bullmq");

const BULK = 1000;

async function main(path, count) {
  const records = readFileSync(path, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const jobs = Array.from({ length: count }, (_, place) => ({
    name: "user",
    data: records[place % records.length],
  }));
  const address = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT) };
  const queue = new Queue("users", { connection: address });
  await queue.waitUntilReady();
  console.log("sending");
  for (let first = 0; first < count; first += BULK) {
    await queue.addBulk(jobs.slice(first, first + BULK));
  }
  console.log("sent");
  await queue.close();
}

main(process.argv[2], Number(process.argv[3]));
