%% What a message costs with few and with many active processes: each has one ping under way, to one of all
%% at random, until it has sent its share. The pids are in a table that all share, a persistent term.
-module(scale).
-export([main/1]).

main([Count, Variant]) ->
    Actors = list_to_integer(Variant),
    Each = max(1, list_to_integer(Count) div (2 * Actors)),
    N = 2 * Each * Actors,
    Main = self(),
    All = [spawn(fun() -> receive go -> ok end,
                          next(Each, (I * 2654435761) band 16#ffffffff,
                               persistent_term:get(all), Actors, Main) end)
           || I <- lists:seq(0, Actors - 1)],
    persistent_term:put(all, list_to_tuple(All)),
    Began = erlang:monotonic_time(nanosecond),
    [A ! go || A <- All],
    [receive finished -> ok end || _ <- All],
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=scale params=actors:~b,workers:auto,n:~b value=~.4f unit=us better=lower~n",
              [Actors, N, Took / 1000 / N]),
    halt(0).

next(0, _, _, _, Starter) ->
    Starter ! finished,
    serve();
next(Left, Seed, All, Actors, Starter) ->
    S = (Seed * 69069 + 1) band 16#ffffffff,
    element(((S * Actors) bsr 32) + 1, All) ! {query, self()},
    wait(Left - 1, S, All, Actors, Starter).

wait(Left, Seed, All, Actors, Starter) ->
    receive
        {query, From} -> From ! response, wait(Left, Seed, All, Actors, Starter);
        response -> next(Left, Seed, All, Actors, Starter)
    end.

serve() -> receive {query, From} -> From ! response, serve() end.
