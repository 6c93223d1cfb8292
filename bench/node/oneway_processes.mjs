// A forked child sends to its parent, as fast as process.send says it may. The channel's serialization is `json`, the
// default: for small messages it is several times as fast as `advanced`.
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
    // Its manual: "the callback can be used to implement flow control". A hundred under way are faster than one,
    // and than a thousand.
    const n = Number(process.argv[2]), UNDER_WAY = 100;
    let sent = 0;
    const push = () => {
        for (let i = 1; i < UNDER_WAY && sent < n - 1; i++) process.send({ number: sent++ });
        if (sent < n) process.send({ number: sent++ }, push);
    };
    push();
}
