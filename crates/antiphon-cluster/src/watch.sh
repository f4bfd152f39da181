# Ends a cluster and removes its directory once nobody holds its `users` for a number of seconds. Being a process of its
# own, it does so for tests that were killed, too. Arguments: the directory, the seconds.
trap '' HUP INT TERM
home=$1
grace=$2
cd / || exit
exec 9<"$home/users" || exit

# Succeeds with the lock held, so that nobody can join any more.
forsaken() {
    flock 9
    for _ in $(seq "$grace"); do
        flock --unlock 9
        sleep 1
        flock --nonblock 9 || return
    done
}
until forsaken; do :; done

lock=$home/data/postmaster.pid
pid=$(head -n 1 "$lock")
running() {
    [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$home/data" ]
}
if running; then
    # Somebody who is paused hears nothing but these two signals.
    children=$(grep -ls "^PPid:[[:space:]]*$pid\$" /proc/[0-9]*/status | cut -d / -f 3)
    kill -CONT $pid $children
    kill -QUIT "$pid"
    for _ in $(seq 500); do
        running || break
        sleep 0.02
    done
    running && kill -KILL $pid $children
fi
# A server that was killed leaves this file, and the segment of shared memory whose number is the second on its line 7.
if set -- $(sed -n 7p "$lock") && [ -n "$2" ]; then
    ipcrm -m "$2"
fi
rm -rf "$home"
