%% Savina's "chameneos": 100 creatures meet in pairs in a mall, n times.
-module(chameneos).
-export([main/1]).

-define(CREATURES, 100).

main([Count]) ->
    N = list_to_integer(Count),
    Mall = self(),
    Began = erlang:monotonic_time(nanosecond),
    [spawn_link(fun() -> enter(Mall, I rem 3, 0) end) || I <- lists:seq(0, ?CREATURES - 1)],
    mall(N, none),
    Halves = 2 * N,
    Halves = lists:sum([receive {meetings, M} -> M end || _ <- lists:seq(1, ?CREATURES)]),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=chameneos params=creatures:100,workers:auto,n:~b value=~b unit=per_s better=higher~n",
              [N, N * 1000000000 div Took]),
    halt(0).

%% Once all meetings are over, each creature comes in once more.
mall(0, none) ->
    [receive {meet, _, Who} -> Who ! closed end || _ <- lists:seq(1, ?CREATURES)];
mall(Left, none) ->
    receive {meet, _, Who} -> mall(Left, Who) end;
mall(Left, Waiting) ->
    receive {meet, Colour, Who} -> Waiting ! {meet, Colour, Who}, mall(Left - 1, none) end.

enter(Mall, Colour, Meetings) ->
    Mall ! {meet, Colour, self()},
    receive
        {meet, Other, Who} ->
            Mine = complement(Colour, Other),
            Who ! {change, Mine},
            enter(Mall, Mine, Meetings + 1);
        {change, Mine} -> enter(Mall, Mine, Meetings + 1);
        closed -> Mall ! {meetings, Meetings}
    end.

complement(A, A) -> A;
complement(A, B) -> 3 - A - B.
