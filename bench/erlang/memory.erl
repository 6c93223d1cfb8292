%% What an idle process with two integers of state costs, spawned a thousand at a time: as it is
%% (`plain`), or hibernated, as the manual advises for processes that wait long (`hibernate`).
-module(memory).
-export([main/1, wait/2]).

-define(BATCH, 1000).

main([Count, Variant]) ->
    N = list_to_integer(Count),
    Before = resident(),
    spawn_some(N, list_to_atom(Variant)),
    io:format("work=memory params=state:16,workers:1,process:~s,n:~b value=~.4f unit=bytes better=lower~n",
              [Variant, N, (resident() - Before) / N]),
    halt(0).

spawn_some(0, _) -> ok;
spawn_some(N, Variant) ->
    Self = self(),
    Now = min(N, ?BATCH),
    [spawn(fun() -> Self ! started, start(Variant, I) end) || I <- lists:seq(1, Now)],
    [receive started -> ok end || _ <- lists:seq(1, Now)],
    spawn_some(N - Now, Variant).

start(plain, Number) -> wait(Number, 0);
start(hibernate, Number) -> erlang:hibernate(?MODULE, wait, [Number, 0]).

wait(Number, Seen) -> receive tick -> wait(Number, Seen + 1) end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:split(Text, " ", all),
    binary_to_integer(Pages) * 4096.
