%% One sender to many receivers in turn; their queues are kept off their heaps.
-module(fanout).
-export([main/1]).

main([Count, Variant]) ->
    Receivers = list_to_integer(Variant),
    Each = list_to_integer(Count) div Receivers,
    N = Each * Receivers,
    Main = self(),
    Sinks = [spawn_opt(fun() -> take(Each), Main ! finished end,
                       [link, {message_queue_data, off_heap}]) || _ <- lists:seq(1, Receivers)],
    Began = erlang:monotonic_time(nanosecond),
    source(Sinks, Sinks, N),
    [receive finished -> ok end || _ <- Sinks],
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=fanout params=receivers:~b,mailbox:unbounded,n:~b value=~b unit=per_s better=higher~n",
              [Receivers, N, N * 1000000000 div Took]),
    halt(0).

source(_, _, 0) -> ok;
source(Sinks, [], N) -> source(Sinks, Sinks, N);
source(Sinks, [Next | Rest], N) -> Next ! {item, N}, source(Sinks, Rest, N - 1).

take(0) -> ok;
take(N) -> receive {item, _} -> take(N - 1) end.
