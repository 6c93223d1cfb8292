// setTimeout for n timers, 10 to 75 seconds ahead, and clearTimeout in the same order.
import { count, latency, random } from './report.mjs';

const n = count(1000000), timers = new Array(n), next = random(1);
let began = process.hrtime.bigint();
for (let i = 0; i < n; i++) timers[i] = setTimeout(() => process.exit(1), 10000 + next());
latency('timers', 'metric:set', n, began);
began = process.hrtime.bigint();
for (let i = 0; i < n; i++) clearTimeout(timers[i]);
latency('timers', 'metric:cancel', n, began);
