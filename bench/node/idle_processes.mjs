// Children that fork has made, which have nothing to do, until SIGTERM. A tenth of what others start: each is large.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

if (process.send === undefined) {
    const count = Math.ceil(Number(process.argv[3] ?? 200) / 10);
    for (let i = 0; i < count; i++) await once(fork(fileURLToPath(import.meta.url)), 'message');
    console.log(`ready params=processes:${count}`);
} else {
    process.on('message', () => {}); // or it would end
    process.send('ready');
}
