// A parent and the child that it forked, through the channel that fork makes.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { count, latency, player } from './report.mjs';

if (process.send === undefined) {
    const n = count(20000);
    const child = fork(fileURLToPath(import.meta.url));
    const next = player(n, (ball) => child.send(ball), (began) => {
        latency('pingpong_processes', 'fork', n, began);
        child.disconnect();
    });
    child.once('message', () => { // it is ready
        child.on('message', next);
        next();
    });
} else {
    process.on('message', (ball) => process.send(ball));
    process.send('ready');
}
