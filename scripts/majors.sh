# shellcheck shell=bash disable=SC2154
# The other PostgreSQL majors, for scripts/check: each is built and tested in a Debian root of its own.

# The other majors, each in the Debian suite that has it.
GC_MAJORS=${GC_MAJORS:-17:trixie 18:sid}

check_majors() {
	local entry rc=0
	for entry in $GC_MAJORS; do
		if [ "$(id -u)" != 0 ]; then
			tally 0 0 1 "PostgreSQL ${entry%%:*} needs root, to make a Debian root"
		else
			in_major "${entry%%:*}" "${entry#*:}" || rc=1
		fi
	done
	return "$rc"
}

# in_major MAJOR SUITE: makes a root, runs this script in it and adds up its totals.
in_major() {
	local dir=$work/debian.$2 rc=0
	echo "== PostgreSQL $1 in Debian $2"
	make_debian "$dir" "$1" "$2" >"$work/log/debian.$2" 2>&1 ||
		{ tail -n 20 "$work/log/debian.$2"; remove_tree "$dir"; tally 0 1; return 1; }
	mkdir "$dir/root/gc_fdw"
	unpack_tree "$dir/root/gc_fdw"
	in_debian "$dir" "PG_MAJOR=$1" /root/gc_fdw/scripts/check --only build --only regression --only isolation \
		--only tap >"$work/out/debian.$2" 2>&1 || rc=1
	grep '^\[' "$work/out/debian.$2" || true
	{ grep -v '^\[' "$work/out/debian.$2" || true; } | tail -n "$((rc == 0 ? 1 : 140))"
	count_line "$work/out/debian.$2" || tally 0 1
	remove_tree "$dir" || rc=1
	return "$rc"
}

# make_debian DIR MAJOR SUITE: what a mirror has of sid may be older than it says it is good for.
make_debian() {
	# shellcheck disable=SC2046
	unshare --mount mmdebstrap --mode=root --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(tr ' ' , <<<"$(packages_for "$2")")" "$3" "$1"
	[ -e "$1/etc/hosts" ] || printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$1/etc/hosts"
}

# in_debian DIR COMMAND...: in that root.  In namespaces of its own: what it mounts nobody
# else sees, so that nothing is to be unmounted before the root is removed, and no
# process or shared memory of it outlives this one.
in_debian() {
	local dir=$1
	shift
	unshare --mount --ipc --pid --fork --kill-child env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		sh -ec 'cd "$0"; mount -t proc proc proc; mount --rbind /dev dev; mount -t tmpfs tmpfs dev/shm
			exec chroot . env -C / "$@"' "$dir" "$@"
}
