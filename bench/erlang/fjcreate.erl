%% Savina's "fork-join create": n processes at once, each gets one message, answers and ends.
-module(fjcreate).
-export([main/1]).

main([Count]) ->
    N = list_to_integer(Count),
    process_flag(message_queue_data, off_heap), % up to n answers wait
    Began = erlang:monotonic_time(nanosecond),
    create(N),
    join(N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=fjcreate params=workers:auto,n:~b value=~.4f unit=us better=lower~n",
              [N, Took / 1000 / N]),
    halt(0).

create(0) -> ok;
create(N) ->
    spawn(fun child/0) ! {task, self(), N},
    create(N - 1).

child() -> receive {task, From, N} -> From ! {finished, N} end.

join(0) -> ok;
join(N) -> receive {finished, _} -> join(N - 1) end.
