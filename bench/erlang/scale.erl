%% What a message costs with few and with many active processes: each has one ping under way until it has sent
%% its share, to one of all at random (1000:any) or to its partner (1000:partner). The pids are in a table that
%% all share, a persistent term. The clock begins when each has had a message.
-module(scale).
-export([main/1]).

main([Count, Variant]) ->
    [Number, To] = string:split(Variant, ":"),
    Actors = list_to_integer(Number),
    Pattern = list_to_atom(To),
    Each = max(1, list_to_integer(Count) div (2 * Actors)),
    N = 2 * Each * Actors,
    Main = self(),
    All = [spawn(fun() -> begin_with(Each, I, Pattern, Actors, Main) end) || I <- lists:seq(0, Actors - 1)],
    persistent_term:put(all, list_to_tuple(All)),
    tell(All, warm),
    Began = erlang:monotonic_time(nanosecond),
    tell(All, go),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=scale params=actors:~b,to:~s,workers:auto,n:~b value=~.4f unit=us better=lower~n",
              [Actors, Pattern, N, Took / 1000 / N]),
    halt(0).

%% To all, and waits until all have told that they finished.
tell(All, What) ->
    [A ! What || A <- All],
    [receive finished -> ok end || _ <- All],
    ok.

begin_with(Each, I, Pattern, Actors, Main) ->
    receive warm -> Main ! finished end,
    receive go -> ok end,
    Memory = case Pattern of any -> (I * 2654435761) band 16#ffffffff; partner -> I end,
    next(Each, {Pattern, Memory}, persistent_term:get(all), Actors, Main).

next(0, _, _, _, Starter) ->
    Starter ! finished,
    serve();
next(Left, State, All, Actors, Starter) ->
    {Target, Next} = target(State, Actors),
    element(Target + 1, All) ! {query, self()},
    wait(Left - 1, Next, All, Actors, Starter).

target({any, Seed}, Actors) ->
    S = (Seed * 69069 + 1) band 16#ffffffff,
    {(S * Actors) bsr 32, {any, S}};
target({partner, I}, _) ->
    {I bxor 1, {partner, I}}.

wait(Left, State, All, Actors, Starter) ->
    receive
        {query, From} -> From ! response, wait(Left, State, All, Actors, Starter);
        response -> next(Left, State, All, Actors, Starter)
    end.

serve() -> receive {query, From} -> From ! response, serve() end.
