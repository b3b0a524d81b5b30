# Runs inside the appliance (as /bin/sh, from a disk): writes down what this kernel makes of damaged filesystems: whether it
# mounts them, and all that it shows where it does. What follows it in the script are calls of `look`, and at the end `finish`.
export LC_ALL=C TZ=UTC
mkdir -p /tmp/truth /tmp/at
exec 2>/tmp/truth/log
dmesg -n 1

# drive N. Its /dev/sdX name would not do: the kernel gives those out in the order in which disks answer.
drive() {
  echo /dev/disk/by-path/*-scsi-0:0:"$1:0"
}

# try MODE OPTIONS DEVICE: mounts, or writes down why not.
try() {
  timeout 60 mount -o "$2" "$3" /tmp/at 2>"$out/$1.mount"
}

# walk: the names, then what can be asked of them. Of some directories with damaged indexes this kernel's readdir has no end.
walk() {
  cd /tmp/at || return
  timeout 20 find . -xdev -print0 2>"$out/find" | head -c 4000000 >"$out/names"
  timeout 20 find . -xdev -printf '%y %m %n %U %G %s %i %b %T@ %p\0%l\0' 2>"$out/stats" | head -c 8000000 >"$out/stat"
  timeout 20 find . -xdev -type f -size -1025k -exec sha256sum -z {} + >"$out/sums" 2>"$out/reads"
  cd /
}

# look NAME DEVICE. Without its log first, as a mount with it changes the disk; last as one that is to be written.
look() {
  out=/tmp/truth/$1
  mkdir -p "$out"
  echo "guestfs-walk: $1" >/dev/kmsg
  dmesg -C
  try noload ro,noload "$2" && umount /tmp/at
  if try ro ro "$2"; then
    walk
    umount /tmp/at || umount -l /tmp/at
  fi
  try rw rw "$2" && umount /tmp/at
  dmesg | head -40 >"$out/dmesg"
}

# finish DEVICE: hands all over, as a tar file on a disk.
finish() {
  tar -C /tmp/truth -cf "$1" .
  sync
}
