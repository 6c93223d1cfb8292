// fork, the only way of Node's to start a process with a channel: from the call to the child's first message.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { count } from './report.mjs';

async function start() {
    const child = fork(fileURLToPath(import.meta.url));
    await once(child, 'message');
    return child;
}

async function end(child) {
    child.kill('SIGKILL');
    await once(child, 'exit');
}

if (process.send === undefined) {
    const n = count(30), how = process.argv[3] ?? 'fork';
    const large = how === 'fork_from_2GiB' ? [Buffer.alloc(2 ** 30, 1), Buffer.alloc(2 ** 30, 1)] : [];
    let took = 0n, child = await start();
    for (let i = 0; i < n; i++) {
        if (how !== 'crash') await end(child);
        const began = process.hrtime.bigint();
        if (how === 'crash') await end(child);
        child = await start();
        took += process.hrtime.bigint() - began;
    }
    await end(child);
    if (large.some((part) => part[0] !== 1)) process.exit(1);
    console.log(`work=start_processes params=metric:${how},n:${n} value=${(Number(took) / 1000 / n).toFixed(4)} unit=us better=lower`);
} else {
    process.on('message', () => {}); // or it would end
    process.send('ready');
}
