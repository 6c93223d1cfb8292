%% Savina's "big": 120 processes; each has one ping under way, to one of all at random.
-module(big).
-export([main/1]).

-define(ACTORS, 120).

main([Count]) ->
    Each = list_to_integer(Count) div ?ACTORS,
    N = Each * ?ACTORS,
    Main = self(),
    All = [spawn_link(fun() -> receive {neighbours, T} -> next(Each, S, T, Main) end end)
           || S <- lists:seq(0, ?ACTORS - 1)],
    Tuple = list_to_tuple(All),
    Began = erlang:monotonic_time(nanosecond),
    [A ! {neighbours, Tuple} || A <- All],
    [receive finished -> ok end || _ <- All],
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=big params=actors:120,workers:auto,n:~b value=~b unit=per_s better=higher~n",
              [N, N * 1000000000 div Took]),
    halt(0).

next(0, _, _, Starter) ->
    Starter ! finished,
    serve();
next(Left, Seed, All, Starter) ->
    S = (Seed * 69069 + 1) band 16#ffffffff,
    element((S bsr 16) rem ?ACTORS + 1, All) ! {query, self()},
    wait(Left - 1, S, All, Starter).

wait(Left, Seed, All, Starter) ->
    receive
        {query, From} -> From ! response, wait(Left, Seed, All, Starter);
        response -> next(Left, Seed, All, Starter)
    end.

serve() -> receive {query, From} -> From ! response, serve() end.
