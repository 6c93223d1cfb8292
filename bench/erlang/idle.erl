%% A hundred processes that have started and have nothing to do, until SIGTERM.
-module(idle).
-export([main/1]).

main(_) ->
    Idlers = [spawn_link(fun idler/0) || _ <- lists:seq(1, 100)],
    [begin I ! {tick, self()}, receive tick -> ok end end || I <- Idlers],
    io:format("ready params=actors:100,workers:auto~n"),
    receive never -> ok end.

idler() -> receive {tick, From} -> From ! tick, idler() end.
