#!/bin/sh
# The echo sends back what it is sent: a little, much, to many at once, to one who hangs up in the middle, and in a
# process of its own.
set -eu
program=$1

work=$(mktemp -d)
pid=
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "echo: $*"
    cat out log
    exit 1
}

await() {
    timeout 20 sh -c "until grep -q '$1' out; do sleep 0.01; done" || fail "there is no '$1'"
}

cat >talk.py <<'END'
import hashlib, os, socket, sys, threading
port = int(sys.argv[1])

def talk(size):
    sent = os.urandom(size)
    with socket.create_connection(("127.0.0.1", port)) as peer:
        writer = threading.Thread(target=lambda: (peer.sendall(sent), peer.shutdown(socket.SHUT_WR)))
        writer.start()
        got = bytearray()
        while piece := peer.recv(65536):
            got += piece
        writer.join()
    assert hashlib.sha256(got).digest() == hashlib.sha256(sent).digest(), f"{size} bytes came back as {len(got)}"

talk(0)
talk(5)
talk(50_000_000)
with socket.create_connection(("127.0.0.1", port)) as rude:
    rude.sendall(b"x" * 1000)
many = [threading.Thread(target=talk, args=(10_000,)) for _ in range(100)]
[thread.start() for thread in many]
[thread.join() for thread in many]
END

for place in thread process; do
    : >out # before it begins: await may look at once
    "$program" run "$TROUPE_SOURCE_DIR/examples/echo/echo.yaml" --set 'server.args.address=127.0.0.1:0' \
        --place "/server=$place" >out 2>log &
    pid=$!
    await 'listening at'
    timeout 60 python3 talk.py "$(sed -n 's/^listening at .*://p' out)" || fail "not what was sent"
    kill -TERM "$pid"
    wait "$pid" || fail "exit code $?"
    [ "$(grep -c ': 10000 bytes there, 10000 back' out)" -eq 100 ] || fail "not each of the many was reported"
    grep -q ': 50000000 bytes there, 50000000 back' out || fail "the large one was not reported"
    grep -q 'dead_letters=0 in_doubt=0' log || fail "messages were lost"
    echo "$place: 103 connections, one of 50 MB"
done
