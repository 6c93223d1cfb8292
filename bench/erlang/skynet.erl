%% Skynet: a process spawns ten, each of them ten, down to a million leaves; the sums travel back up.
-module(skynet).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    Main = self(),
    Began = erlang:monotonic_time(nanosecond),
    spawn(fun() -> sky(0, N, Main) end),
    Sum = receive {sum, S} -> S end,
    Took = erlang:monotonic_time(nanosecond) - Began,
    Sum = N * (N - 1) div 2,
    io:format("work=skynet params=per:leaf,workers:auto,n:~b value=~.4f unit=us better=lower~n",
              [N, Took / 1000 / N]),
    halt(0).

sky(First, 1, Parent) -> Parent ! {sum, First};
sky(First, Size, Parent) ->
    Self = self(),
    Sub = Size div 10,
    spawn_all(First, Sub, Self, 10),
    Parent ! {sum, add(10, 0)}.

spawn_all(_, _, _, 0) -> ok;
spawn_all(First, Sub, Self, I) ->
    spawn(fun() -> sky(First, Sub, Self) end),
    spawn_all(First + Sub, Sub, Self, I - 1).

add(0, Sum) -> Sum;
add(I, Sum) -> receive {sum, S} -> add(I - 1, Sum + S) end.
