// The main thread and a worker thread take turns at a word of a SharedArrayBuffer: by Atomics.wait, then by
// Atomics.waitAsync. Node has no memory that processes share.
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { count, latency } from './report.mjs';

function passOn(turn, next) {
    Atomics.store(turn, 0, next + 1);
    Atomics.notify(turn, 0, 1);
}

function block(turn, next, last) {
    for (; next < last; next += 2) {
        for (let now; (now = Atomics.load(turn, 0)) !== next;) Atomics.wait(turn, 0, now);
        passOn(turn, next);
    }
}

async function message(turn, next, last) {
    const stay = setInterval(() => {}, 60000); // a wait by itself does not keep its thread alive
    for (; next < last; next += 2) {
        for (let now; (now = Atomics.load(turn, 0)) !== next;) await Atomics.waitAsync(turn, 0, now).value;
        passOn(turn, next);
    }
    clearInterval(stay);
}

const play = { block, message };

if (isMainThread) {
    const n = count(20000);
    for (const metric of ['block', 'message']) {
        const turn = new Int32Array(new SharedArrayBuffer(64));
        const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { turn, metric, last: 2 * n } });
        await new Promise((resolve) => worker.once('online', resolve));
        const began = process.hrtime.bigint();
        await play[metric](turn, 0, 2 * n);
        latency('shared_wait', `placed_by:thread,metric:${metric}`, n, began);
        await worker.terminate();
    }
} else {
    await play[workerData.metric](workerData.turn, 1, workerData.last);
}
