// Worker threads that post to the main thread. A worker that never lets go of its thread still posts.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { count, rate, variant } from './report.mjs';

if (isMainThread) {
    const senders = variant(5), each = Math.floor(count(2000000) / senders), n = each * senders;
    let seen = 0, began;
    const received = () => {
        if (seen++ === 0) began = process.hrtime.bigint();
        if (seen === n) rate('fanin', `senders:${senders},worker_threads,mailbox:unbounded`, n, began);
    };
    for (let i = 0; i < senders; i++)
        new Worker(fileURLToPath(import.meta.url), { workerData: each }).on('message', received);
} else {
    for (let left = workerData; left > 0; left--) parentPort.postMessage({ number: left });
}
