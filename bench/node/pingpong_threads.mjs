// The main thread and a worker thread, through the worker's port.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { count, latency, player } from './report.mjs';

if (isMainThread) {
    const n = count(20000);
    const worker = new Worker(fileURLToPath(import.meta.url));
    const next = player(n, (ball) => worker.postMessage(ball), (began) => {
        latency('pingpong_threads', 'worker_threads,handoff:asleep', n, began);
        worker.terminate();
    });
    worker.on('message', next);
    worker.once('online', next);
} else {
    parentPort.on('message', (ball) => parentPort.postMessage(ball));
}
