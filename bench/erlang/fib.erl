%% Savina's "fib": a process for each call of the recursive function.
-module(fib).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    Main = self(),
    Began = erlang:monotonic_time(nanosecond),
    spawn(fun() -> fib(N, Main) end),
    {Value, Calls} = receive {result, V, C} -> {V, C} end,
    Took = erlang:monotonic_time(nanosecond) - Began,
    Value = plain(N),
    io:format("work=fib params=fib:~b,workers:auto,n:~b value=~.4f unit=us better=lower~n",
              [N, Calls, Took / 1000 / Calls]),
    halt(0).

fib(N, Parent) when N < 2 -> Parent ! {result, N, 1};
fib(N, Parent) ->
    Self = self(),
    spawn(fun() -> fib(N - 1, Self) end),
    spawn(fun() -> fib(N - 2, Self) end),
    receive {result, A, CallsA} -> ok end,
    receive {result, B, CallsB} -> ok end,
    Parent ! {result, A + B, CallsA + CallsB + 1}.

plain(N) when N < 2 -> N;
plain(N) -> plain(N - 1) + plain(N - 2).
