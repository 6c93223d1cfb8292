%% Two processes on one scheduler (run.py starts it with +S 1:1).
-module(pingpong).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    Pong = spawn_opt(fun pong/0, [link]),
    ping(Pong, N div 10 + 1),
    Began = erlang:monotonic_time(nanosecond),
    ping(Pong, N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=pingpong params=schedulers:~b,n:~b value=~.4f unit=us better=lower~n",
              [erlang:system_info(schedulers_online), N, Took / 1000 / N]),
    halt(0).

ping(_, 0) -> ok;
ping(Pong, N) ->
    Pong ! {ball, self(), N},
    receive {ball, N} -> ping(Pong, N - 1) end.

pong() ->
    receive {ball, From, N} -> From ! {ball, N}, pong() end.
