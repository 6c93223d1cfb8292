// 1 MiB between the main thread and a worker thread, as an ArrayBuffer whose memory is handed over: first
// passed to and fro, then made anew for each message.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { count, latency } from './report.mjs';

const PAYLOAD = 1024 * 1024, FORWARDS = 10;
const PARAMS = 'worker_threads,placed_by:thread,metric:';

if (isMainThread) {
    const n = count(20000);
    const worker = new Worker(fileURLToPath(import.meta.url));
    let left = n, began;
    const fill = (value) => new Uint8Array(PAYLOAD).fill(value & 0xff);
    const send = (data, more) => worker.postMessage({ data, more }, [data.buffer]);
    const make = () => send(fill(left), 0);
    worker.on('message', ({ data, more, sum }) => {
        if (more > 1) return send(data, more - 1);
        if (sum === undefined) {
            latency('payload', PARAMS + 'pass_on', FORWARDS * n, began);
            began = process.hrtime.bigint();
            return make();
        }
        if (sum !== 2 * (left & 0xff)) throw new Error('other bytes than were sent');
        if (--left > 0) return make();
        latency('payload', PARAMS + 'make', n, began);
        worker.terminate();
    });
    worker.once('online', () => {
        began = process.hrtime.bigint();
        send(fill(1), FORWARDS * n);
    });
} else {
    parentPort.on('message', ({ data, more }) => {
        if (more > 0) parentPort.postMessage({ data, more: more - 1 }, [data.buffer]);
        else parentPort.postMessage({ more: 0, sum: data[0] + data[PAYLOAD - 1] });
    });
}
