%% A thousand processes in a ring; one token goes round it, first one lap to warm up.
-module(ring).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    Main = self(),
    First = spawn_link(fun() -> receive {place, Next} -> member(Next, Main) end end),
    Last = lists:foldl(fun(_, Next) -> spawn_link(fun() -> member(Next, Main) end) end,
                       First, lists:seq(2, 1000)),
    First ! {place, Last},
    play(First, 1000),
    Began = erlang:monotonic_time(nanosecond),
    play(First, N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=ring params=actors:1000,workers:auto,n:~b value=~.4f unit=us better=lower~n",
              [N, Took / 1000 / N]),
    halt(0).

play(First, N) ->
    First ! {token, N},
    receive finished -> ok end.

member(Next, Starter) ->
    receive
        {token, 0} -> Starter ! finished;
        {token, N} -> Next ! {token, N - 1}
    end,
    member(Next, Starter).
