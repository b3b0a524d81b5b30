# Runs inside the appliance (as /bin/sh, from a disk): writes down what this kernel shows of each filesystem.
# What follows it in the script are calls of `walk` and `report`, in two lanes at once, and at the end `finish DEVICE`.
export LC_ALL=C TZ=UTC
mkdir -p /tmp/truth
exec 2>/tmp/truth/log

# drive N [PARTITION]. Its /dev/sdX name would not do: the kernel gives those out in the order in which disks answer.
drive() {
  suffix=${2:+-part$2}
  set -- /dev/disk/by-path/*-scsi-0:0:"$1:0$suffix"
  echo "$1"
}

# walk NAME DEVICE TYPE [OPTIONS]
walk() {
  out=/tmp/truth/$1
  at=/tmp/mnt/$1
  mkdir -p "$out" "$at"
  echo "== $1" >&2
  if ! mount -t "$3" -o "ro,noatime${4:+,$4}" "$2" "$at"; then
    dmesg | tail -3 >"$out/refused"
    return 0
  fi
  cd "$at" || return
  # the subvolumes of btrfs are devices of their own
  case $3 in btrfs) within= ;; *) within=-xdev ;; esac
  # the order matters: reading changes nothing on a read-only mount, not even the access times
  find . $within -print0 | xargs -0 stat --printf='%f %h %u %g %s %t %T %i %b %.9X %.9Y %.9Z %n\0' >"$out/stat"
  find . $within -type l -printf '%p\0%l\0' >"$out/links"
  # a file with a hole of gigabytes would take this machine minutes
  find . $within -type f -size -1048576k -print0 | xargs -0 -r sha256sum -z >"$out/sums"
  case $3 in ext* | xfs | btrfs) find . $within -print0 | xargs -0 getfattr -h -d -m - -e hex >"$out/xattrs" ;; esac
  stat -f --printf '{"blockSize":%S,"blocks":%b,"free":%f,"available":%a,"files":%c,"freeFiles":%d,"nameLength":%l}' . >"$out/statfs"
  blkid -o export "$2" >"$out/blkid"
  cd /
  umount "$at"
}

# report NAME: the volume groups, as LVM tells them.
report() {
  out=/tmp/truth/$1
  mkdir -p "$out"
  for kind in pvs vgs lvs; do
    $kind --reportformat json --units b --nosuffix -o all >"$out/$kind.json"
  done
  lvs --segments --reportformat json --units b --nosuffix -o vg_name,lv_name,seg_start_pe,seg_size_pe,seg_type,seg_pe_ranges >"$out/segments.json"
}

# finish DEVICE: hands all over, as a tar file on a disk.
finish() {
  dmesg | tail -n 300 >/tmp/truth/dmesg
  tar -C /tmp/truth -cf "$1" .
  sync
}
