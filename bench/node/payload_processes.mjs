// 1 MiB from a parent to the child that it forked, filled anew for each message. The child looks at every page
// and answers. First one message at a time, then eight under way. The channel's serialization is `advanced`: with
// the other one, a Buffer becomes JSON.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { count, latency } from './report.mjs';

const PAYLOAD = 1024 * 1024, PAGE = 4096, UNDER_WAY = 8;
const valueOf = (number) => (number % 251) + 1;

if (process.send === undefined) {
    const n = count(2000);
    const child = fork(fileURLToPath(import.meta.url), { serialization: 'advanced' });
    let sent, answered, underWay, began;
    const push = () => child.send(Buffer.allocUnsafe(PAYLOAD).fill(valueOf(sent++)));
    const begin = (most) => {
        sent = answered = 0;
        underWay = most;
        began = process.hrtime.bigint();
        while (sent < most && sent < n) push();
    };
    child.once('message', () => { // it is ready
        child.on('message', (sum) => {
            if (sum !== valueOf(answered) * (PAYLOAD / PAGE)) throw new Error('other bytes than were sent');
            if (++answered < n) {
                if (sent < n) push();
                return;
            }
            latency('payload_processes', `fork,serialization:advanced,metric:${underWay === 1 ? 'one' : 'eight'}`,
                    n, began);
            if (underWay === 1) begin(UNDER_WAY);
            else child.disconnect();
        });
        begin(1);
    });
} else {
    process.on('message', (data) => {
        let sum = 0;
        for (let i = 0; i < data.length; i += PAGE) sum += data[i];
        process.send(sum);
    });
    process.send('ready');
}
