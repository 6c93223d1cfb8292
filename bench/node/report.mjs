export const count = (standard) => Number(process.argv[2] ?? standard);

/* The second argument: which variant of the work. */
export const variant = (standard) => Number(process.argv[3] ?? standard);

/* The generator that the programs in every language use. */
export function random(seed) {
    let state = seed >>> 0;
    return () => {
        state = (Math.imul(state, 69069) + 1) >>> 0;
        return state >>> 16;
    };
}

export function latency(work, params, n, began) {
    const us = Number(process.hrtime.bigint() - began) / 1000 / n;
    console.log(`work=${work} params=${params},n:${n} value=${us.toFixed(4)} unit=us better=lower`);
}

export function rate(work, params, n, began) {
    const perSecond = n / (Number(process.hrtime.bigint() - began) / 1e9);
    console.log(`work=${work} params=${params},n:${n} value=${perSecond.toFixed(0)} unit=per_s better=higher`);
}

/* Plays n + warm round trips through `send`; returns what to call for each ball that comes back. */
export function player(n, send, done) {
    const warm = Math.floor(n / 10) + 1;
    let left = n + warm, began;
    return () => {
        if (left === n) began = process.hrtime.bigint();
        if (left-- === 0) done(began);
        else send({ left });
    };
}
