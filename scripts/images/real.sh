#!/bin/bash
# Makes the images of the golden walks and of the benchmarks, with the real tools, and what a foreign tool reads in
# them. What is there already is kept.
#   scripts/images/real.sh [DIRECTORY [IMAGE…]]      default: .cache/images debian many features fat lvm kernel odd
#
#   debian    Debian on GPT, EFI system partition and ext4: debian.raw, debian.qcow2
#   lvm       the same on LVM (root, home and swap): debian-lvm.raw, debian-lvm.qcow2
#   many      ext4 with 100,000 small files: many.raw
#   features  ext2, 3 and 4 with each feature on and off: features/*.img
#   kernel    what only the kernel writes: features/kernel-*.img; ext4 whose writer was killed: dirty-*.raw
#   fat       FAT12, 16 and 32: fat/*.img
#   odd       the damaged and odd filesystems of e2fsprogs's own tests: ../source/e2fsprogs (their truth is committed)
#   big       ext4 with one file of 1 GiB: big.raw, big.qcow2, big-zlib.qcow2, big-zstd.qcow2
#   xfs       Debian on LVM and XFS: debian-lvm-xfs.raw, debian-lvm-xfs.qcow2 (needs the package libguestfs-xfs)
# Beside each NAME.raw or NAME.img: NAME.truth.jsonl.gz, one line for each file, as the kernel tells it (all in one start of
# the appliance, at the end), or, where that takes long or the kernel refuses, debugfs.
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
. "$here/guest.sh"
require debootstrap mke2fs sgdisk mkfs.vfat mcopy qemu-img grub-mkimage guestfish setfattr setfacl node flock
[ "$(id -u)" = 0 ] || die 'debootstrap needs root'

into=${1:-$here/../../.cache/images}
shift || true
[ $# -gt 0 ] || set -- debian many features fat lvm kernel odd
mkdir -p "$into/work"
into=$(cd "$into" && pwd)
work=$into/work

ready() { say "ready: $1"; }

rootfs() {
  [ ! -e "$work/rootfs" ] || return 0
  say 'debootstrap'
  strap "$work/rootfs.plain" systemd-sysv udev openssh-server ca-certificates less nano cron logrotate iproute2 \
    iputils-ping netbase python3-minimal locales tzdata man-db sudo curl
  dress "$work/rootfs.plain"
  mv "$work/rootfs.plain" "$work/rootfs"
}

rootfs_tar() {
  rootfs
  [ -e "$into/rootfs.tar" ] || {
    tar -C "$work/rootfs" --numeric-owner --sparse --acls --xattrs --xattrs-include='*' -cf "$into/rootfs.tar.part" .
    mv "$into/rootfs.tar.part" "$into/rootfs.tar"
  }
}

qcow2() {
  [ -e "$into/$2.qcow2" ] || {
    nice qemu-img convert -f raw -O qcow2 "${@:3}" "$into/$1.raw" "$into/$2.qcow2.part"
    mv "$into/$2.qcow2.part" "$into/$2.qcow2"
  }
  ready "$2.qcow2"
}

walks=()
truth() { walks+=("$@"); }

debian() {
  [ -e "$into/debian.raw" ] || {
    rootfs
    say 'debian.raw'
    fetch_deb grub-efi-amd64-bin "$work/grub"
    boot_files "$work/grub" "$work/efi"
    gpt_disk "$into/debian.raw.part" $((2048 * MiB)) "$work/rootfs" "$work/efi"
    mv "$into/debian.raw.part" "$into/debian.raw"
  }
  ready debian.raw
  qcow2 debian debian
  rootfs_tar
  truth debian.raw:2:ext4:debian debian.raw:1:vfat:debian-efi
}

many() {
  [ -e "$into/many.raw" ] || {
    say 'many.raw'
    rm -rf "$work/many"
    node "$lib/sample-trees.mjs" many "$work/many"
    sparse $((1024 * MiB)) "$into/many.raw.part"
    nice mke2fs -q -F -t ext4 -L many -N 120000 -d "$work/many" "$into/many.raw.part"
    rm -rf "$work/many"
    mv "$into/many.raw.part" "$into/many.raw"
  }
  ready many.raw
  [ "$into/many.truth.jsonl.gz" -nt "$into/many.raw" ] || nice node "$here/debugfs-truth.mjs" "$into/many.raw" "$into" many
}

big() {
  [ -e "$into/big.raw" ] || {
    say 'big.raw'
    rm -rf "$work/big" && mkdir "$work/big"
    node "$lib/sample-trees.mjs" big "$work/big/big.bin"
    (cd "$work/big" && sha256sum big.bin) >"$into/big.sha256"
    sparse $((1280 * MiB)) "$into/big.raw.part"
    nice mke2fs -q -F -t ext4 -L big -d "$work/big" "$into/big.raw.part"
    rm -rf "$work/big"
    mv "$into/big.raw.part" "$into/big.raw"
  }
  ready big.raw
  qcow2 big big
  qcow2 big big-zlib -c -o compression_type=zlib
  qcow2 big big-zstd -c -o compression_type=zstd
}

# on_lvm NAME TYPE GROUP: partition 1 is a boot partition, partition 2 a physical volume of that group.
on_lvm() {
  local name=$1 type=$2 group=$3 home=128
  [ -e "$into/$name.raw" ] || {
    [ "$type" = ext4 ] || grep -qs xfsprogs /usr/lib/*/guestfs/supermin.d/packages* ||
      die 'the appliance has no xfsprogs: install libguestfs-xfs'
    [ "$type" = ext4 ] || home=320 # mkfs.xfs wants 300
    rootfs_tar
    say "$name.raw"
    sparse $((2560 * MiB)) "$into/$name.raw.part"
    put 644 "$work/fstab" <<END
/dev/mapper/$group-root  /      $type  defaults  0  1
UUID=$home_uuid  /home  $type  defaults  0  2
/dev/$group/swap  none  swap  sw  0  0
END
    appliance --format=raw -a "$into/$name.raw.part" <<END
run
part-init /dev/sda gpt
part-add /dev/sda p 2048 264191
part-add /dev/sda p 264192 -2048
part-set-name /dev/sda 1 boot
part-set-gpt-type /dev/sda 2 E6D6D379-F507-44C2-A23C-238F2A3DF928
mkfs ext4 /dev/sda1 label:boot
pvcreate /dev/sda2
vgcreate $group /dev/sda2
lvcreate root $group 1000
lvcreate home $group $home
lvcreate swap $group 64
# root grows behind home and swap, so that it has two segments
lvresize /dev/$group/root 1600
mkfs $type /dev/$group/root label:root
mkfs $type /dev/$group/home label:home
set-uuid /dev/$group/home $home_uuid
mkswap /dev/$group/swap label:swap uuid:$swap_uuid
mount /dev/$group/root /
tar-in "$into/rootfs.tar" / xattrs:true acls:true
upload $work/fstab /etc/fstab
mv /home/ada /ada
mount /dev/$group/home /home
cp-a /ada /home/ada
rm-rf /ada
umount-all
shutdown
END
    mv "$into/$name.raw.part" "$into/$name.raw"
  }
  ready "$name.raw"
  qcow2 "$name" "$name"
  truth "$name.raw:$group/root:$type:$name" "$name.raw:$group/home:$type:$name-home" \
    "$name.raw:1:ext4:$name-boot" "$name.raw:lvm:report:$name"
}

# walk_each TYPE FILE…: a walk of every image of these names.
walk_each() {
  local kind=$1 file name
  shift
  for file; do
    name=${file#"$into/"}
    truth "$name:0:$kind:${name%.*}"
  done
}

features() {
  local name
  "$here/ext-features.sh" "$into/features"
  walk_each ext4 "$into"/features/ext*.img
  # the kernel's pages are 4 KiB, and so is its largest block
  for name in ext4-8k ext4-64k; do
    [ "$into/features/$name.truth.jsonl.gz" -nt "$into/features/$name.img" ] ||
      node "$here/debugfs-truth.mjs" "$into/features/$name.img" "$into/features" "$name"
  done
  ready features
}

kernel() {
  wait "$writers" || die 'kernel-made.sh failed'
  walk_each ext4 "$into"/features/kernel*.img "$into"/dirty-*.raw
  ready kernel
}

fat() {
  "$here/fat.sh" "$into/fat"
  walk_each vfat "$into"/fat/*.img
  ready fat
}

odd() {
  "$here/e2fsprogs.sh" --fetch
  ready odd
}

trap wait EXIT
# the appliance keeps one processor busy: it writes while the other images are made
case " $* " in
  *' kernel '*)
    "$here/kernel-made.sh" "$into" &
    writers=$!
    ;;
esac
for image; do
  case $image in
    debian | many | big | features | kernel | fat | odd) $image ;;
    lvm) on_lvm debian-lvm ext4 vg_dolphin ;;
    xfs) on_lvm debian-lvm-xfs xfs vg_xfs ;;
    *) die "$image is no image of this script" ;;
  esac
done
tell() { [ ${#walks[@]} = 0 ] || "$here/kernel-truth.sh" "$into" "${walks[@]}"; }
# now and then the kernel cannot replay the log of fast commits in which it was killed itself: another one is made
tell || {
  [ $? = 3 ] || exit 1
  "$here/kernel-made.sh" "$into"
  tell
}
say 'all images are there'
