#!/bin/sh
# Brings up PostgreSQL with Citus for Antiphon, where Citus is installed: three servers on this machine to try it, or servers
# that run already.
#
#   deploy/citus.sh local DIRECTORY                 a coordinator and two workers in DIRECTORY, on 127.0.0.1
#   deploy/citus.sh join COORDINATOR WORKER...      hosts, each with `:port` if it is not 5432
#
# The database is $DATABASE (antiphon), made where it is missing. `local` takes $PORT (5500) and the next two. `join` connects
# as $PGUSER, who has to be a superuser on every host; passwords come from ~/.pgpass, here and between the servers. Run twice,
# it changes nothing the second time. How to go on is said at the end, and in docs/citus.md.
set -eu

database=${DATABASE:-antiphon}
port=${PORT:-5500}

fail() {
    echo "citus.sh: $*" >&2
    exit 1
}

# The parts of `host:port`.
host_of() { echo "${1%%:*}"; }
port_of() { case $1 in *:*) echo "${1##*:}" ;; *) echo 5432 ;; esac; }

# ask SERVER DATABASE [psql's arguments], SQL from standard input.
ask() {
    server=$1 name=$2
    shift 2
    psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
        --host "$(host_of "$server")" --port "$(port_of "$server")" --dbname "$name" "$@"
}

# The database with the extension, on one server. Every node needs both before it can join.
prepare() {
    libraries=$(echo "SHOW shared_preload_libraries" | ask "$1" postgres) || fail "$1 does not answer"
    case ,$(echo "$libraries" | tr -d ' '), in
    ,citus,*) ;;
    *) fail "$1 does not load Citus: set shared_preload_libraries = 'citus' (first of them) and restart it" ;;
    esac
    # What Antiphon sets for its own sessions does not reach the workers'.
    [ "$(echo "SHOW synchronous_commit" | ask "$1" postgres)" != off ] ||
        fail "$1 acknowledges before it has synced: set synchronous_commit = on"
    found="SELECT count(*) FROM pg_database WHERE datname = :'wanted'"
    if [ "$(echo "$found" | ask "$1" postgres --set "wanted=$database")" = 0 ]; then
        createdb --host "$(host_of "$1")" --port "$(port_of "$1")" --encoding UTF8 --template template0 "$database"
    fi
    echo "CREATE EXTENSION IF NOT EXISTS citus" | ask "$1" "$database" 2>/dev/null ||
        fail "$1 has no Citus for its version of PostgreSQL: install the package and try again"
}

join() {
    coordinator=$1
    shift
    for server in "$coordinator" "$@"; do
        prepare "$server"
    done
    # Workers call the coordinator too, so it needs a name that they know.
    printf "SELECT citus_set_coordinator_host('%s', %s)" "$(host_of "$coordinator")" "$(port_of "$coordinator")" |
        ask "$coordinator" "$database" >/dev/null
    for worker in "$@"; do
        printf "SELECT citus_add_node('%s', %s)" "$(host_of "$worker")" "$(port_of "$worker")" |
            ask "$coordinator" "$database" >/dev/null
    done
    workers=$(echo "SELECT count(*) FROM citus_get_active_worker_nodes()" | ask "$coordinator" "$database")
    [ "$workers" -ge $# ] || fail "only $workers of $# workers joined; see pg_dist_node on $coordinator"
    url="postgres://${PGUSER:-$(id -un)}@$(host_of "$coordinator"):$(port_of "$coordinator")/$database"
    echo "$workers workers have joined. Now, once, and then on every node of Antiphon:"
    echo "    antiphon migrate --store $url --citus"
    echo "    antiphon serve --store $url"
}

# Starts one server in a directory of its own.
start() {
    if [ ! -d "$1" ]; then
        initdb --pgdata "$1" --username "${PGUSER:-$(id -un)}" --auth trust --encoding UTF8 >/dev/null
        cat >>"$1/postgresql.conf" <<SETTINGS
shared_preload_libraries = 'citus'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = $2
max_connections = 200
wal_level = logical
SETTINGS
    fi
    if ! pg_ctl --pgdata "$1" status >/dev/null; then
        pg_ctl --pgdata "$1" --log "$1.log" --wait start >/dev/null ||
            fail "it did not start; is Citus installed for this PostgreSQL? $1.log ends: $(tail -n 3 "$1.log")"
    fi
}

alone() {
    [ "$(id -u)" != 0 ] || fail "PostgreSQL does not run as root; become another user, such as postgres"
    command -v pg_ctl >/dev/null || PATH=$(pg_config --bindir):$PATH
    command -v pg_ctl >/dev/null || fail "pg_ctl is not here; install PostgreSQL's server, or put its programs in PATH"
    mkdir -p "$1"
    home=$(cd "$1" && pwd)
    servers=
    at=$port
    for name in coordinator worker1 worker2; do
        start "$home/$name" "$at"
        servers="$servers 127.0.0.1:$at"
        at=$((at + 1))
    done
    # shellcheck disable=SC2086 # the list is to be taken apart
    join $servers
    echo "To stop it: for name in coordinator worker1 worker2; do pg_ctl -D $home/\$name stop; done"
}

case ${1:-} in
local) [ $# = 2 ] && alone "$2" && exit ;;
join) [ $# -ge 3 ] && shift && join "$@" && exit ;;
esac
sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0" >&2
exit 2
