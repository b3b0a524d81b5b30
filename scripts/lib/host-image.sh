# What the image scripts share; read with `.`, never run. Needs root for debootstrap and device nodes, but mounts
# nothing and uses no loop device: filesystems are made on files, and the kernel's part is played inside the appliance.
# A new file appears under its name only when it is whole, so a step that was interrupted is made again.

export LC_ALL=C TZ=UTC PATH="$PATH:/usr/sbin:/sbin"
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS="${LIBGUESTFS_BACKEND_SETTINGS-force_tcg}"
# The folder of the script that runs, and the one of what scripts share.
here=$(cd "$(dirname "$0")" && pwd)
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MiB=$((1024 * 1024))

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

die() { printf '%s\n' "$*" >&2; exit 1; }

# require TOOL…: end with the names of those that are missing.
require() {
  local missing='' tool
  for tool; do command -v "$tool" >/dev/null || missing="$missing $tool"; done
  [ -z "$missing" ] || die "not installed:$missing"
}

# sparse SIZE FILE: an empty file of that size, with nothing allocated.
sparse() { rm -f "$2"; truncate -s "$1" "$2"; }

# appliance ARGUMENT…: guestfish, one at a time on this machine.
appliance() { flock "${GUESTFISH_LOCK:-/tmp/guestfish.lock}" nice guestfish "$@"; }

# user_kernel FOLDER DEVICE…: runs FOLDER/script as root of a Linux that is a process of this machine (user-mode Linux, up
# in seconds), with the files as /dev/ubda, /dev/ubdb, … This machine's files are its own, so FOLDER is not below /tmp, where it
# has a filesystem in memory. What is said lies in FOLDER/said. USER_LINUX is another such kernel (newer_kernel).
user_kernel() {
  local folder=$1 devices=() letter=a file
  shift
  for file; do
    devices+=("ubd$letter=$file")
    letter=$(tr a-o b-p <<<"$letter")
  done
  rm -f "$folder/done"
  {
    echo '#!/bin/sh'
    echo 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin'
    echo 'mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run; mount -t devtmpfs dev /dev'
    echo "sh $folder/script && touch $folder/done"
    echo 'sync; echo o >/proc/sysrq-trigger; sleep 60'
  } >"$folder/init"
  chmod +x "$folder/init"
  timeout "${USER_KERNEL_SECONDS:-300}" "${USER_LINUX:-linux.uml}" rootfstype=hostfs rw "init=$folder/init" mem=512M con=null con0=null,fd:1 quiet \
    "${devices[@]}" >"$folder/said" 2>&1 </dev/null || true
  [ -e "$folder/done" ]
}

# script_drive FILE SCRIPT…: the shell scripts, one after another, as a disk that the appliance's shell can read.
script_drive() {
  local disk=$1 size
  shift
  cat "$@" >"$disk"
  printf '\nexit 0\n' >>"$disk"
  size=$(stat -c %s "$disk")
  head -c $(((size + 511) / 512 * 512 - size)) /dev/zero | tr '\0' '\n' >>"$disk"
}

# fetch_deb PACKAGE DIRECTORY: the files of a Debian package, unpacked and not installed.
fetch_deb() {
  local package=$1 into=$2 scratch
  [ ! -d "$into" ] || return 0
  scratch=$(mktemp -d)
  (cd "$scratch" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null) ||
    die "cannot fetch the package $package (run apt-get update first?)"
  mkdir -p "$into.part"
  dpkg-deb -x "$scratch"/*.deb "$into.part"
  rm -rf "$scratch"
  mv "$into.part" "$into"
}

# fetch_newer DIRECTORY PACKAGE…: the files of packages of Debian 13, unpacked and not installed, for what the tools here are
# too old for. Nothing of apt's own is changed. `newer DIRECTORY TOOL ARGUMENT…` runs one, with the libraries beside it.
fetch_newer() {
  local into=$1 scratch deb
  shift
  [ ! -d "$into" ] || return 0
  scratch=$(mktemp -d)
  mkdir -p "$scratch/lists/partial" "$scratch/debs" "$into.part"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$scratch/sources.list"
  local asked=(-q -o "APT::Sandbox::User=root" -o "Dir::State::Lists=$scratch/lists"
    -o "Dir::Etc::SourceList=$scratch/sources.list" -o "Dir::Etc::SourceParts=/dev/null")
  apt-get "${asked[@]}" update >/dev/null || die "cannot read the list of Debian 13's packages"
  (cd "$scratch/debs" && apt-get "${asked[@]}" download "$@" >/dev/null) || die "cannot fetch $*"
  for deb in "$scratch"/debs/*.deb; do dpkg-deb -x "$deb" "$into.part"; done
  rm -rf "$scratch"
  mv "$into.part" "$into"
}

newer() {
  local from=$1 tool=$2 libraries
  shift 2
  libraries=$(dirname "$(echo "$from"/usr/lib/*/libc.so.6)")
  "$libraries"/ld-linux-*.so.* --library-path "$libraries" "$(echo "$from"/usr/*bin/"$tool")" "$@"
}

# newer_kernel DIRECTORY: what fetch_newer got of user-mode-linux as DIRECTORY/linux, for USER_LINUX. It starts itself again, so no
# loader can stand before it: it has its own in it, by a path that is at most as long as Debian's.
newer_kernel() {
  local from=$1
  ln -sf "$(echo "$from"/usr/lib/*/ld-linux-*.so.*)" "$from/ld"
  [ ${#from} -le 24 ] || die "the path $from is too long for a loader"
  perl -pe 'BEGIN { $path = shift } s{/lib64/ld-linux-x86-64\.so\.2}{$path . "\0" x (27 - length $path)}e' "$from/ld" \
    "$from/usr/bin/linux.uml" >"$from/kernel"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/kernel "$@"\n' "$(dirname "$(readlink "$from/ld")")" "$from" >"$from/linux"
  chmod +x "$from/kernel" "$from/linux"
}

# fetch_source PACKAGE DIRECTORY: the upstream files of a Debian source package, unpacked and not built. The machine's own
# sources of binary packages are asked for their sources, in a private list: nothing of apt's own is changed.
fetch_source() {
  local package=$1 into=$2 scratch tarball
  [ ! -d "$into" ] || return 0
  scratch=$(mktemp -d)
  mkdir -p "$scratch/lists/partial" "$scratch/parts" "$scratch/files" "$into.part"
  local list
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ -e "$list" ] || continue
    grep -q debian.org "$list" || continue
    sed 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' "$list" >"$scratch/parts/$(basename "$list")"
  done
  local asked=(-q -o "APT::Sandbox::User=root" -o "Dir::State::Lists=$scratch/lists"
    -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$scratch/parts")
  apt-get "${asked[@]}" update >/dev/null || die "cannot read the list of Debian's source packages"
  (cd "$scratch/files" && apt-get "${asked[@]}" source --download-only "$package" >/dev/null) ||
    die "cannot fetch the source package $package"
  for tarball in "$scratch"/files/*.orig.tar.*; do
    case $tarball in *.asc) continue ;; esac
    tar -C "$into.part" --strip-components=1 -xf "$tarball"
  done
  rm -rf "$scratch"
  mv "$into.part" "$into"
}
