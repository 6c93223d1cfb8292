%% 1 MiB, a binary with a count of references, between two processes on one scheduler: first passed to and
%% fro, then made anew for each message.
-module(payload).
-export([main/1]).

-define(PAYLOAD, 1048576).
-define(BLOCK, 4096).
-define(FORWARDS, 10).

main([Count]) ->
    N = list_to_integer(Count),
    Blocks = list_to_tuple([binary:copy(<<V>>, ?BLOCK) || V <- lists:seq(0, 255)]),
    Pong = spawn_opt(fun pong/0, [link]),
    measure("pass_on", ?FORWARDS * N, fun() -> pass_on(Pong, fill(Blocks, 1), ?FORWARDS * N) end),
    measure("make", N, fun() -> make(Pong, Blocks, N) end),
    halt(0).

measure(Metric, N, Do) ->
    Began = erlang:monotonic_time(nanosecond),
    Do(),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=payload params=schedulers:~b,metric:~s,n:~b value=~.4f unit=us better=lower~n",
              [erlang:system_info(schedulers_online), Metric, N, Took / 1000 / N]).

%% In blocks: to copy a single byte as often would take a hundred times as long.
fill(Blocks, Value) -> binary:copy(element((Value band 255) + 1, Blocks), ?PAYLOAD div ?BLOCK).

pass_on(Pong, Data, Left) ->
    Pong ! {passed, self(), Data, Left},
    receive
        {passed, _, Same, More} when More > 1 -> pass_on(Pong, Same, More - 1);
        {passed, _, _, _} -> ok
    end.

make(_, _, 0) -> ok;
make(Pong, Blocks, N) ->
    Pong ! {made, self(), fill(Blocks, N)},
    Sum = 2 * (N band 255),
    receive {seen, Sum} -> make(Pong, Blocks, N - 1) end.

pong() ->
    receive
        {passed, From, Data, Left} -> From ! {passed, self(), Data, Left - 1};
        {made, From, Data} -> From ! {seen, binary:first(Data) + binary:last(Data)}
    end,
    pong().
