%% One process sets n timers, 10 to 75 seconds ahead, and cancels them in the order in which it had set them.
-module(timers).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    Began = erlang:monotonic_time(nanosecond),
    Timers = set(N, 1, []),
    report("set", N, Began),
    InOrder = lists:reverse(Timers),
    CancelBegan = erlang:monotonic_time(nanosecond),
    cancel(InOrder),
    report("cancel", N, CancelBegan),
    halt(0).

report(Metric, N, Began) ->
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=timers params=metric:~s,n:~b value=~.4f unit=us better=lower~n",
              [Metric, N, Took / 1000 / N]).

set(0, _, Timers) -> Timers;
set(N, Seed, Timers) ->
    S = (Seed * 69069 + 1) band 16#ffffffff,
    set(N - 1, S, [erlang:start_timer(10000 + (S bsr 16), self(), tick) | Timers]).

cancel([]) -> ok;
cancel([Timer | Rest]) ->
    true = is_integer(erlang:cancel_timer(Timer)),
    cancel(Rest).
