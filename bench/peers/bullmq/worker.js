// One worker process.

const { Worker } = require("bullmq");
const { Redis } = require("ioredis");

const address = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT) };
const redis = new Redis(address);

const worker = new Worker(
  "users",
  async (job) => {
    await redis.rpush("res", JSON.stringify(job.data));
  },
  {
    connection: { ...address, maxRetriesPerRequest: null },
    concurrency: Number(process.env.CONCURRENCY ?? 1),
    removeOnComplete: { count: 0 },
  },
);
worker.on("error", console.error);

process.on("SIGTERM", async () => {
  await worker.close();
  redis.disconnect();
});

worker.waitUntilReady().then(() => console.log("ready"));
