%% One process spawns others, one after the other; each reports and ends.
-module(spawn).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    chain(N div 10 + 1),
    Began = erlang:monotonic_time(nanosecond),
    chain(N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=spawn params=chain,schedulers:~b,n:~b value=~.4f unit=us better=lower~n",
              [erlang:system_info(schedulers_online), N, Took / 1000 / N]),
    halt(0).

chain(0) -> ok;
chain(N) ->
    Self = self(),
    spawn(fun() -> Self ! started end),
    receive started -> chain(N - 1) end.
