# What every machine begins with. It is process 1 of its own network, mount,
# process and host name namespaces; DIR has what the whole cluster shares, and
# NAME is the machine's.
set -eu
PATH=$DIR/bin:$PATH:/usr/sbin:/sbin

mount --make-rprivate /
mount --make-rshared /
mount -t proc proc /proc
for place in /run /var/lib /var/log /var/tmp; do
	mount -t tmpfs tmpfs "$place"
done
hostname "$NAME"
ip link set lo up
log=$DIR/$NAME
mkdir -p "$log"

# pin lets a kernel setting of the whole machine look as it is wanted, so that
# nobody sets it.
pin() { # name value
	mkdir -p "/run/pinned/${1%/*}"
	echo "$2" >"/run/pinned/$1"
	mount --bind "/run/pinned/$1" "/proc/sys/$1"
}

# keep runs a program, and again whenever it has ended.
keep() { # program argument...
	while :; do
		"$@" >>"$log/$1.log" 2>&1 &
		echo $! >"/run/$1.pid"
		wait $! || :
		sleep 0.2
	done &
}

# until_done repeats a command until it succeeds.
until_done() { # command...
	until "$@" >/dev/null 2>&1; do sleep 0.05; done
}
