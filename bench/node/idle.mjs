// A main thread and a worker thread that have nothing to do, until SIGTERM.
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';

if (isMainThread) {
    const worker = new Worker(fileURLToPath(import.meta.url));
    worker.on('message', () => console.log('ready params=worker_threads:1'));
    worker.postMessage('tick');
} else {
    parentPort.on('message', (tick) => parentPort.postMessage(tick));
}
