// Worker threads that post to the main thread. The time begins when all are ready and told to go.
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { count, rate, variant } from './report.mjs';

if (isMainThread) {
    const senders = variant(5), each = Math.floor(count(2000000) / senders), n = each * senders;
    const workers = [];
    let seen = 0, ready = 0, began;
    const go = () => {
        began = process.hrtime.bigint();
        for (const worker of workers) worker.postMessage('go');
    };
    const received = (item) => {
        if (item === 'ready') {
            if (++ready === senders) go();
        } else if (++seen === n) {
            rate('fanin', `senders:${senders},worker_threads,mailbox:unbounded`, n, began);
        }
    };
    for (let i = 0; i < senders; i++) {
        workers.push(new Worker(fileURLToPath(import.meta.url), { workerData: each }));
        workers[i].on('message', received);
    }
} else {
    parentPort.once('message', () => {
        for (let left = workerData; left > 0; left--) parentPort.postMessage({ number: left });
    });
    parentPort.postMessage('ready');
}
