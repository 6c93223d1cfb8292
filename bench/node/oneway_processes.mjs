// A forked child sends to its parent, as fast as process.send says it may.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { count, rate } from './report.mjs';

if (process.send === undefined) {
    const n = count(100000);
    const child = fork(fileURLToPath(import.meta.url), [String(n)]);
    let seen = 0, began;
    child.on('message', () => {
        if (seen++ === 0) began = process.hrtime.bigint();
        if (seen === n) {
            rate('oneway_processes', 'fork', n, began);
            child.disconnect();
        }
    });
} else {
    const n = Number(process.argv[2]);
    let sent = 0;
    const push = () => {
        while (sent < n) if (!process.send({ number: sent++ }, sent % 1000 === 0 ? push : undefined) &&
                             sent % 1000 === 0) return;
    };
    push();
}
