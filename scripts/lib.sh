# shellcheck shell=bash
# shellcheck disable=SC2034
# scripts/lib.sh: what demo, check and the benchmarks have in common.
#
# To be sourced.  Installs what is missing, copies the tree to a work directory,
# builds it there, and starts a throw-away PostgreSQL, behind a socket in the work
# directory, and simulators on free loopback ports.  Everything that is started is
# noted in $work/pids and ended by an exit trap, by pid; nothing outside the work
# directory is written, but for the Debian packages that were missing and the npm
# packages in ~/.cache/gc_fdw.
#
# Sets: root (the project), work (the work directory), src (the copy that is
# built), bin (the server's programs), major.  Set keep=1 to leave all running
# (but for an interrupted script, which always cleans up).

set -euo pipefail
# bash runs asynchronous children with SIGINT ignored; they are ended by pid.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
keep=${keep:-0}
work=
started_at=$(date +%s.%N)

# ---------------------------------------------------------------- messages

now() { date +%s.%N; }

# Seconds since the given time, with one decimal.
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

say() { printf '[%6s s] %s\n' "$(since "$started_at")" "$*"; }

complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
	complain "$*"
	exit 1
}

# usage_error MESSAGE: for arguments that make no sense; nothing has been run yet.
usage_error() {
	complain "$*"
	usage >&2
	exit 2
}

# need_number OPTION [VALUE], need_argument OPTION WHAT [VALUE]
need_number() { [[ ${2:-} =~ ^[1-9][0-9]{0,8}$ ]] || usage_error "$1 needs a number from 1 to 999999999"; }

need_argument() { [[ ${3:-} != '' && ${3:-} != --* ]] || usage_error "$1 needs $2"; }

# ---------------------------------------------------------------- packages

# The PostgreSQL major: PG_MAJOR, else the distribution's own.
find_major() {
	if [ -n "${PG_MAJOR:-}" ]; then
		echo "$PG_MAJOR"
		return
	fi
	local id
	id=$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_ID:-}")
	case $id in
		debian-12) echo 15 ;;
		debian-13) echo 17 ;;
		ubuntu-24.04) echo 16 ;;
		*) find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -n 1 ;;
	esac
}

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

# install_packages PACKAGE...: those that are missing, and nothing if none is.
install_packages() {
	local missing=() package
	for package in "$@"; do
		is_installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} = 0 ] && return
	say "installing ${missing[*]}"
	run as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null
	run as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
		install --no-install-recommends "${missing[@]}" >/dev/null ||
		die "could not install ${missing[*]} (another major than the distribution's own needs apt.postgresql.org)"
}

# is_known PACKAGE: whether there is such a one, installed or not.
is_known() {
	is_installed "$1" && return
	run as_root apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null && apt-cache show "$1" >/dev/null 2>&1
}

# packages_for MAJOR: what every script needs.
packages_for() {
	echo "postgresql-$1" "postgresql-server-dev-$1" build-essential libcurl4-openssl-dev libjansson-dev \
		libmicrohttpd-dev zlib1g-dev libipc-run-perl ca-certificates curl jq openssl pkg-config
}

# setup_packages [PACKAGE...]: these, and what is named.
setup_packages() {
	major=$(find_major)
	[ -n "$major" ] || die "set PG_MAJOR: this distribution's PostgreSQL is not known here"
	bin=/usr/lib/postgresql/$major/bin
	pg_ctl=$bin/pg_ctl
	# shellcheck disable=SC2046
	install_packages $(packages_for "$major") "$@"
}

# ---------------------------------------------------------------- processes

# Servers refuse to run as root: there they, and what builds and tests them, run
# as the user postgres; otherwise all of it is the caller's own.
as_server() { "${server_user[@]}" "$@"; }

# Set once the work directory is known: the command prefix of as_server.
find_server_user() {
	server_user=(env "HOME=$work")
	if [ "$(id -u)" = 0 ]; then
		server_user+=(setpriv --reuid=postgres --regid=postgres --init-groups --)
	fi
}

# run COMMAND...: in the foreground, but so that a signal to this script is
# served at once (bash would wait for a foreground command to end by itself).
run() {
	local rc=0
	"$@" <&0 &
	child=$!
	wait "$child" || rc=$?
	child=
	return "$rc"
}
child=

# The process and all its descendants, the deepest first.
process_tree() {
	local kid
	for kid in $(cat /proc/"$1"/task/"$1"/children 2>/dev/null || true); do
		process_tree "$kid"
	done
	echo "$1"
}

# end_tree PID: the process and its descendants.
end_tree() {
	local pid
	for pid in $(process_tree "$1"); do kill -TERM "$pid" 2>/dev/null || true; done
}

# finish_tree PID: the same, and wait until none is left, up to fifteen seconds.
finish_tree() {
	local tree pid
	tree=$(process_tree "$1")
	end_tree "$1"
	for pid in $tree; do await_end "$pid" "$((SECONDS + 15))"; done
}

# end_process PID SIGNAL: and wait up to five seconds for it.
end_process() {
	kill "-$2" "$1" 2>/dev/null || return 0
	await_end "$1" "$((SECONDS + 5))"
}

# await_end PID UNTIL: waits for the end of a process; kills it when it is late.
await_end() {
	while is_alive "$1"; do
		if [ "$SECONDS" -gt "$2" ]; then
			kill -KILL "$1" 2>/dev/null || true
			return 0
		fi
		sleep 0.1
	done
}

is_alive() { [ -e "/proc/$1" ] && ! grep -qs '^State:.Z' "/proc/$1/status"; }

# stop_all DIR: ends what runs in that work directory (postmasters by their pid
# files, those of TAP tests included; simulators by the pids noted).
stop_all() {
	local dir=$1 file pid
	while IFS= read -r file; do
		pid=$(head -n 1 "$file" 2>/dev/null || true)
		[[ $pid =~ ^[0-9]+$ ]] && [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(dirname "$file")" ] &&
			end_process "$pid" QUIT
	done < <(find "$dir" -name postmaster.pid 2>/dev/null)
	while read -r pid; do
		is_ours "$pid" "$dir" && end_process "$pid" TERM
	done < <(cat "$dir/pids" 2>/dev/null)
	return 0
}

# note_pid PID: to be ended with the rest.
note_pid() {
	started+=("$1")
	echo "$1" >>"$work/pids"
}

# Guards against a pid that has been reused since: ours run in the work directory.
is_ours() {
	case $(readlink "/proc/$1/cwd" 2>/dev/null) in "$2"*) return 0 ;; *) return 1 ;; esac
}

started=()

clean_up() {
	local rc=$? pid
	trap - EXIT
	trap '' INT TERM HUP PIPE
	[ -z "$child" ] || finish_tree "$child"
	[ -z "$unfinished" ] || rm -rf "$unfinished"
	if [ "$joined" = 1 ]; then
		for pid in "${started[@]}"; do end_process "$pid" TERM; done
	elif [ -n "$work" ] && { [ "$keep" = 0 ] || [ "$rc" -gt 128 ]; }; then
		stop_all "$work"
		cd / && remove_tree "$work"
	fi
	exit "$rc"
}

# A directory outside the work directory that is of no use if the script ends now.
unfinished=

# remove_tree DIR: but never through a mount.
remove_tree() {
	if awk -v dir="$1/" 'index($2 "/", dir) == 1 { found = 1 } END { exit !found }' /proc/self/mounts; then
		complain "$1 was left, because something is mounted there"
		return 1
	fi
	rm -rf --one-file-system "$1"
}

# ---------------------------------------------------------------- work directory

# join_work DIR: use what another script has set up there; on exit only what was
# started here is ended.
join_work() {
	is_work "$1" || die "$1 is no work directory"
	work=$(realpath "$1")
	src=$work/src
	export TMPDIR=$work/tmp
	joined=1
	major=$(find_major)
	bin=/usr/lib/postgresql/$major/bin
	pg_ctl=$bin/pg_ctl
	find_server_user
	set_traps
	cd "$work"
}
joined=0

# is_work DIR: whether make_work made it.
is_work() { [[ -f $1/pids && -d $1/src && -d $1/tmp && $(realpath "$1") == */gc_fdw.* ]]; }

set_traps() {
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	trap 'exit 141' PIPE
}

# make_work: a directory that every user may enter; PGXS cannot build in a path
# with a space, and the path of a socket (of a test: $work/tmp/XXXXXXXXXX/…) must
# not exceed 107 bytes.  What anything started from here leaves behind is in it.
make_work() {
	local base=${TMPDIR:-/tmp}
	case $base in *[[:space:]]*) base=/tmp ;; esac
	[ ${#base} -le 60 ] || base=/tmp
	set_traps
	work=$(mktemp -d "$base/gc_fdw.XXXXXX")
	chmod 755 "$work"
	src=$work/src
	mkdir "$src" "$work/run" "$work/log" "$work/out" "$work/tmp"
	: >"$work/pids"
	export TMPDIR=$work/tmp
	find_server_user
	cd "$work"
}

# The tree as it is here, committed or not, without what git ignores.
copy_tree() {
	if [ "$(git -C "$root" rev-parse --show-toplevel 2>/dev/null)" = "$(cd "$root" && pwd -P)" ]; then
		(cd "$root" && git ls-files -coz --exclude-standard |
			while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done |
			tar -c --null -T - -f "$work/tree.tar")
	else
		tar -c -C "$root" --exclude=.git --exclude=node_modules --exclude='*.o' --exclude='*.so' \
			--exclude=./sim/gc_sim -f "$work/tree.tar" .
	fi
	unpack_tree "$src"
	if [ "$(id -u)" = 0 ]; then chown -R postgres:postgres "$work"; fi
	guard_socket
}

# unpack_tree DIR: the tree as it was when this script began.
unpack_tree() {
	tar -x --no-same-owner -f "$work/tree.tar" -C "$1"
	chmod -R a+rX "$1"
}

# The server asks for no password, so its socket is in a directory that only the
# server's user and whoever started this may enter (by sudo, too).
guard_socket() {
	chmod 700 "$work/run"
	if [ "$(id -u)" = 0 ]; then
		chown "$(caller_id):postgres" "$work/run"
		chmod 770 "$work/run"
	fi
}

caller_id() { if [[ ${SUDO_UID:-} =~ ^[0-9]+$ ]]; then echo "$SUDO_UID"; else echo 0; fi; }

setup_work() {
	make_work
	copy_tree
}

# ---------------------------------------------------------------- build

# build_extension [MAKE ARGUMENT...]: builds and installs below $work/root.
# Bitcode for JIT inlining would double the time and serves nothing here.
build_extension() {
	as_server make -s -C "$src" -j"$(nproc)" PG_CONFIG="$bin/pg_config" with_llvm=no "$@" &&
		as_server make -s -C "$src" PG_CONFIG="$bin/pg_config" with_llvm=no install DESTDIR="$work/root" "$@"
}

build_simulator() {
	as_server make -s -C "$src/sim" -j"$(nproc)" "$@"
}

# build: both, quietly unless it fails.
build() {
	say "building the extension for PostgreSQL $major and the simulator"
	run build_simulator >"$work/log/build-sim" 2>&1 || { cat "$work/log/build-sim"; die "the simulator does not build"; }
	run build_extension >"$work/log/build" 2>&1 || { cat "$work/log/build"; die "the extension does not build"; }
}

# ---------------------------------------------------------------- PostgreSQL

free_port() {
	perl -MIO::Socket::INET -e \
		'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 0)->sockport'
}

# server_knows NAME: whether this major has such a setting.
server_knows() {
	as_server "$bin/postgres" -D "$pgdata" -C "$1" >/dev/null 2>&1
}

# The settings by which a server finds what build_extension installed.  Debian's
# packages up to 17 have extension_destdir, PostgreSQL 18 extension_control_path.
extension_settings() {
	local lib share
	lib=$("$bin/pg_config" --pkglibdir)
	share=$("$bin/pg_config" --sharedir)
	echo "dynamic_library_path = '$work/root$lib:\$libdir'"
	if server_knows extension_destdir; then
		echo "extension_destdir = '$work/root'"
	elif server_knows extension_control_path; then
		echo "extension_control_path = '$work/root$share:\$system'"
	else
		complain "PostgreSQL $major can neither set extension_destdir nor extension_control_path"
		return 1
	fi
}

# start_postgres [SETTING...]: a new cluster, reached by its socket alone (see
# guard_socket); sets PGHOST, PGPORT, PGUSER for psql.  Set cluster and cluster_port for
# one beside another.
cluster=data
cluster_port=5432
start_postgres() {
	pgdata=$work/$cluster
	run as_server "$bin/initdb" -D "$pgdata" -U postgres --auth-local=trust --auth-host=reject --encoding=UTF8 --locale=C.UTF-8 \
		--no-sync >"$work/log/initdb" 2>&1 || { cat "$work/log/initdb"; complain "initdb failed"; return 1; }
	extension_settings >"$work/extension.conf" || return
	{
		cat "$work/extension.conf"
		printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$work/run'" \
			"fsync = off" "synchronous_commit = off" "full_page_writes = off" "max_wal_size = '8GB'" \
			"shared_buffers = '256MB'" "max_prepared_transactions = 10" "log_line_prefix = '%m [%p] '" "$@"
	} >>"$pgdata/postgresql.conf"
	export PGHOST=$work/run PGPORT=$cluster_port PGUSER=postgres PGDATABASE=postgres
	run as_server "$pg_ctl" -s -w -D "$pgdata" -l "$work/log/postgres" -o "-p $PGPORT" start >/dev/null 2>&1 && return
	cat "$work/log/postgres"
	complain "PostgreSQL did not start"
	return 1
}

# sql [PSQL ARGUMENT...]: psql that stops at the first error.
sql() { as_server "$bin/psql" -X -q -P pager=off -v ON_ERROR_STOP=1 "$@"; }

# how_to_look: what to type to look around, and to end what is left running.
how_to_look() {
	cat <<-END
	Left running:  psql -h $PGHOST -p $PGPORT -U postgres
	End it by:     ${SUDO_UID:+sudo }scripts/demo --stop $work
	END
}

# value QUERY: the one value it gives.
value() { sql -At -c "$1"; }

# ---------------------------------------------------------------- simulator

# start_sim [ARGUMENT...]: one more simulator on a free port; sets sim_port,
# sim_pid and sim_url.
start_sim() {
	local log try
	log=$work/log/sim.$(wc -l <"$work/pids")
	: >"$log"
	(cd "$work/run" && exec "${server_user[@]}" setsid "$src/sim/gc_sim" --port 0 "$@") </dev/null >"$log" 2>&1 &
	sim_pid=$!
	note_pid "$sim_pid"
	for try in $(seq 100); do
		sim_url=$(sed -n 's/^gc_sim listening on //p' "$log")
		if [ -n "$sim_url" ]; then
			sim_port=${sim_url##*:}
			return
		fi
		kill -0 "$sim_pid" 2>/dev/null || break
		sleep 0.05
	done
	cat "$log"
	complain "the simulator did not start: gc_sim --port 0 $*"
	return 1
}

# sim_call METHOD PATH [BODY]: a control path, or any other, without a token.
sim_call() {
	if [ $# -gt 2 ]; then
		curl -sS --fail-with-body -X "$1" -H 'Content-Type: application/json' --data-binary "$3" "$sim_url$2"
	else
		curl -sS --fail-with-body -X "$1" "$sim_url$2"
	fi
}

# ---------------------------------------------------------------- npm

# npm_modules: installs contract/package-lock.json once in the user's cache and
# sets modules to the directory that holds node_modules.
npm_modules() {
	local cache
	cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gc_fdw
	modules=$cache/npm-$(sha256sum "$src/contract/package-lock.json" | cut -c 1-16)
	[ -d "$modules/node_modules" ] && return
	mkdir -p "$cache"
	unfinished=$(mktemp -d "$cache/new.XXXXXX")
	cp "$src/contract/package.json" "$src/contract/package-lock.json" "$src/contract/.npmrc" "$unfinished"
	if ! run npm_install "$unfinished" >"$work/log/npm" 2>&1; then
		cat "$work/log/npm"
		rm -rf "$unfinished"
		unfinished=
		complain "npm ci failed"
		return 1
	fi
	mv -T "$unfinished" "$modules" 2>/dev/null || rm -rf "$unfinished"
	unfinished=
}

npm_install() { cd "$1" && exec npm ci --ignore-scripts --no-progress --loglevel=error --cache "$work/tmp/npm"; }

# ---------------------------------------------------------------- TLS

# make_certificates: ca.pem, server.pem and server.key for localhost and
# 127.0.0.1, and other-ca.pem, which signed nothing, in $work/tls.
make_certificates() {
	local d=$work/tls
	mkdir -p "$d"
	(
		cd "$d"
		for name in ca other-ca; do
			openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=gc_fdw test $name" \
				-keyout "$name.key" -out "$name.pem"
		done
		openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out server.pem \
			-extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1')
		rm server.csr
		chmod 644 ./*
	) >"$work/log/openssl" 2>&1 || { cat "$work/log/openssl"; complain "openssl failed"; return 1; }
	if [ "$(id -u)" = 0 ]; then chown -R postgres:postgres "$d"; fi
}
