#!/bin/sh
# The command line: what is wrong with it or with the configuration is said, with the place, and the exit
# code is 1; nothing has been started then.
set -eu
program=$TROUPE_BINARY_DIR/tests/programs/fates
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
checked=0 failed=0

cat >good.yaml <<'EOF'
tree:
  children:
    - { name: victim, actor: victim, count: 1, args: { fate: none } }
    - { name: prompter, actor: prompter, args: { rounds: 2, end: true } }
EOF
sed 's/actor: victim,/actor: victin,/' good.yaml >typo.yaml
printf 'tree: [\n' >broken.yaml

# expect CODE PATTERN ARGUMENT...: the exit code, and a line of either output.
expect() {
    code=$1 pattern=$2 got=0
    shift 2
    "$program" "$@" >out 2>&1 || got=$?
    checked=$((checked + 1))
    if [ "$got" -ne "$code" ] || ! grep -Eq -e "$pattern" out; then
        echo "fates $*: exit code $got, expected $code and '$pattern'; it said:"
        cat out
        failed=1
    fi
    if [ "$code" -eq 1 ] && grep -q 'process main' out; then
        echo "fates $*: something was started"
        failed=1
    fi
}

expect 0 '^Usage: fates COMMAND' --help
expect 0 '^Usage: fates COMMAND' help
expect 0 '^fates \(Troupe [0-9]' --version
expect 0 '^ok: 3 actors and supervisors on 1 nodes' check good.yaml
expect 0 '^ok: .* on 2 nodes' check good.yaml --place '/victim/*=process'
expect 0 '^/victim/0 +victim +process +ipc' explain good.yaml --place '/victim/*=process'
expect 0 '^over' run good.yaml
expect 0 '^over' run good.yaml --place '/victim/*=process' --threads 1
expect 0 '^over' run good.yaml --place '/**=process' --one-process
expect 0 '^round 3 ok' run good.yaml --set prompter.args.rounds=4
expect 0 '^over' run good.yaml --trace trace
grep -q '^ask /prompter -> /victim/0 act{round: 0}' trace

expect 1 'no command'
expect 1 "unknown command 'rum'; did you mean 'run'" rum good.yaml
expect 1 "unknown option '--plaice" run good.yaml --plaice x
expect 1 "value is missing after '--place'" run good.yaml --place
expect 1 "no '=' in '/victim'" run good.yaml --place /victim
expect 1 'one word too many' run good.yaml another.yaml
expect 1 "number of threads from 1 to" run good.yaml --threads 0
expect 1 "number of threads from 1 to" run good.yaml --threads many
expect 1 'missing.yaml' run missing.yaml
for command in run check explain; do
    expect 1 '^typo.yaml:3:30: error: .*victin.*did you mean .victim' "$command" typo.yaml
    expect 1 '^broken.yaml:[0-9]+:[0-9]+: error' "$command" broken.yaml
    expect 1 "^--place '/nobody=process':1:1: error" "$command" good.yaml --place '/nobody=process'
    expect 1 "^--place '/victim/\*=mars':1:[0-9]+: error" "$command" good.yaml --place '/victim/*=mars'
    expect 1 "^--set 'victim.count=x':1:[0-9]+: error" "$command" good.yaml --set victim.count=x
done
expect 1 'nowhere/trace' run good.yaml --trace nowhere/trace

echo "$checked command lines checked"
exit "$failed"
