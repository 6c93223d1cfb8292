%% A supervised gen_server ends, and is told to end again as soon as its next run is ready: from one end to the next,
%% the supervisor's part included. `failed`: it fails, and the log, which goes to /dev/null, tells of it. `done`: it
%% ends with `normal`, and the logger lets nothing through.
-module(restart).
-behaviour(gen_server).
-export([main/1, start_link/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

%% A supervisor looks through all restarts of the last second at each: no more than these are of one supervisor.
-define(SHARE, 100).

main([Count, How]) ->
    N = list_to_integer(Count),
    log(How),
    process_flag(trap_exit, true),
    restarts(How, N div 10 + 1),
    Began = erlang:monotonic_time(nanosecond),
    restarts(How, N),
    Took = erlang:monotonic_time(nanosecond) - Began,
    io:format("work=restart params=metric:~s,workers:1,n:~b value=~.4f unit=us better=lower~n",
              [How, N, Took / 1000 / N]),
    halt(0).

log("done") -> ok = logger:set_primary_config(level, none);
log("failed") ->
    ok = logger:remove_handler(default),
    ok = logger:add_handler(default, logger_std_h, #{level => error, config => #{file => "/dev/null"}}).

restarts(_, N) when N =< 0 -> ok;
restarts(How, N) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {tree, self()}),
    drive(How, min(N, ?SHARE)),
    exit(Supervisor, shutdown),
    receive {'EXIT', Supervisor, shutdown} -> restarts(How, N - ?SHARE) end.

drive(_, 0) -> receive {ready, _} -> ok end;
drive(How, N) -> receive {ready, Fragile} -> Fragile ! How, drive(How, N - 1) end.

start_link(Driver) -> gen_server:start_link(?MODULE, Driver, []).

init({tree, Driver}) ->
    {ok, {#{strategy => one_for_one, intensity => 1000000, period => 1},
          [#{id => fragile, start => {?MODULE, start_link, [Driver]}, restart => permanent}]}};
init(Driver) -> Driver ! {ready, self()}, {ok, none}.
handle_info("failed", State) -> {stop, as_it_was_told_to, State};
handle_info("done", State) -> {stop, normal, State}.
handle_call(_, _, State) -> {noreply, State}.
handle_cast(_, State) -> {noreply, State}.
