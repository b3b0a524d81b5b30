#!/bin/bash
# Makes the images of `npm run bench -- formats`: the guest, the many files and the large file of real.sh, in other
# filesystems. Neither the tests nor CI need them. What is there already is kept. No appliance: the kernel's part is played
# by user-mode Linux, that of ntfs-3g by its library.
#   scripts/images/formats.sh [--part N] [DIRECTORY [IMAGE…]]      default: .cache/images, all images
# They lie in DIRECTORY/formats. `--part`: an Nth of the files and bytes, to try the script: into another directory then.
#
#   lvm-xfs, btrfs              the guest: on XFS on LVM, and in subvolumes of btrfs, compressed: NAME.qcow2
#   rpm                         a guest with 400 packages of rpm: rpm.qcow2
#   many-xfs, -btrfs, -ntfs     100,000 small files: NAME.raw
#   ntfs                        many-ntfs again: ntfs.qcow2
#   big-xfs, -btrfs, -ntfs      one file of 1 GiB: NAME.raw
#   big-btrfs-zstd, -ntfs-lznt1 the same, compressed: NAME.raw
#   squashfs-zstd, -xz          the guest's files: NAME.squashfs
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
part=1
[ "${1-}" != --part ] || { part=$2; shift 2; }
images=${1:-$here/../../.cache/images}
shift || true
[ $# -gt 0 ] || set -- lvm-xfs btrfs rpm many-{xfs,btrfs,ntfs} ntfs big-{xfs,btrfs,ntfs,btrfs-zstd,ntfs-lznt1} squashfs-{zstd,xz}
require mkfs.xfs mkfs.btrfs linux.uml lvm sgdisk mkntfs gcc mke2fs mksquashfs qemu-img sqlite3 node gzip flock
[ "$(id -u)" = 0 ] || die 'the guest has device nodes, which needs root'
images=$(cd "$images" && pwd -P)
into=$images/formats
mkdir -p "$into"
# The kernel of this script does not see what lies below /tmp.
work=$(mktemp -d "$into/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
export USER_KERNEL_SECONDS=1800

# rootfs: an archive of the guest that real.sh made, into the name that is told.
rootfs() {
  [ -e "$images/rootfs.tar" ] || die "there is no $images/rootfs.tar: scripts/images/real.sh $images debian makes it"
  [ "$part" = 1 ] || [ -e "$work/rootfs.tar" ] || {
    mkdir "$work/few"
    tar -C "$work/few" -xpf "$images/rootfs.tar" ./etc ./home ./usr/lib/os-release
    tar -C "$work/few" -cf "$work/rootfs.tar" .
  }
  [ "$part" = 1 ] || { echo "$work/rootfs.tar"; return; }
  echo "$images/rootfs.tar"
}

many() {
  [ -d "$work/many" ] || node "$lib/sample-trees.mjs" many "$work/many" $((1000 / part))
}

big() {
  [ -d "$work/big" ] || {
    mkdir "$work/big"
    node "$lib/sample-trees.mjs" big "$work/big/big.bin" $((1024 / part))
  }
}

# quietly COMMAND…: what it says matters only where it fails.
quietly() { "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; die "$1 failed ($image)"; }; }

# by_kernel DEVICE <<script: the kernel does that.
by_kernel() {
  { echo 'set -ex; mkdir /tmp/made'; cat; } >"$work/script"
  user_kernel "$work" "$1" || { cat "$work/said" >&2; die "$image failed"; }
}

unpacked() { printf 'tar -C %s --numeric-owner --xattrs --xattrs-include=* --acls -xpf %s' "$1" "$2"; }

# whole SUFFIX: the image has its name only now.
whole() { mv "$work/$image.raw" "$into/$image.$1"; }

as_qcow2() {
  qemu-img convert -f raw -O qcow2 "$work/$image.raw" "$work/$image.qcow2"
  mv "$work/$image.qcow2" "$into/$image.qcow2"
}

lvm_xfs() {
  local tar
  tar=$(rootfs)
  sparse $((2560 * MiB)) "$work/$image.raw"
  quietly sgdisk -n 1:2048:264191 -c 1:boot -n 2:264192:0 -t 2:8e00 "$work/$image.raw"
  by_kernel "$work/$image.raw" <<END
insmod /usr/lib/uml/modules/\$(uname -r)/kernel/drivers/md/dm-mod.ko
mkdir /tmp/lvm
export LVM_SYSTEM_DIR=/tmp/lvm
cat >/tmp/lvm/lvm.conf <<CONF
devices { use_devicesfile = 0 types = ["ubd", 16] filter = ["a|/dev/ubd.*|", "r|.*|"] }
global { locking_dir = "/tmp/lvm/lock" }
activation { udev_sync = 0 udev_rules = 0 }
CONF
lvm pvcreate /dev/ubda2
lvm vgcreate vg_xfs /dev/ubda2
lvm lvcreate -y -Wn -n root -L 1000M vg_xfs
lvm lvcreate -y -Wn -n home -L 320M vg_xfs
lvm lvextend -L 1600M vg_xfs/root
mkfs.xfs -q -L root /dev/mapper/vg_xfs-root
mkfs.xfs -q -L home /dev/mapper/vg_xfs-home
mount -t xfs /dev/mapper/vg_xfs-root /tmp/made
mkdir /tmp/made/home
mount -t xfs /dev/mapper/vg_xfs-home /tmp/made/home
$(unpacked /tmp/made "$tar")
printf '/dev/mapper/vg_xfs-%s %s xfs defaults 0 0\n' root / home /home >/tmp/made/etc/fstab
umount /tmp/made/home /tmp/made
lvm vgchange -an vg_xfs
END
  as_qcow2
}

btrfs_guest() {
  local tar
  tar=$(rootfs)
  sparse $((2048 * MiB)) "$work/$image.raw"
  quietly mkfs.btrfs -q -L guest "$work/$image.raw"
  by_kernel "$work/$image.raw" <<END
mount -t btrfs -o compress=zstd /dev/ubda /tmp/made
btrfs subvolume create /tmp/made/root
btrfs subvolume create /tmp/made/home
mkdir /tmp/made/root/home
mount -t btrfs -o subvol=home /dev/ubda /tmp/made/root/home
$(unpacked /tmp/made/root "$tar")
printf 'LABEL=guest %s btrfs subvol=%s 0 0\n' / root /home home >/tmp/made/root/etc/fstab
umount /tmp/made/root/home /tmp/made
END
  as_qcow2
}

rpm_guest() {
  local tree=$work/rpm fixtures=$here/../../test/fixtures/rpm
  mkdir -p "$tree"/{bin,boot,etc,home,usr/lib/rpm,usr/lib/sysimage/rpm,var/lib}
  ln -s ../../usr/lib/sysimage/rpm "$tree/var/lib/rpm"
  printf 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40 (Server Edition)"\n' >"$tree/etc/os-release"
  echo 'Fedora release 40 (Forty)' >"$tree/etc/redhat-release"
  echo fedora >"$tree/etc/hostname"
  : >"$tree/etc/fstab"
  # librpm looks into the guest's own configuration for the place of the database
  printf '%%_dbpath /var/lib/rpm\n' >"$tree/usr/lib/rpm/macros"
  : >"$tree/usr/lib/rpm/rpmrc"
  gzip -dc "$fixtures/whole.sqlite.gz" >"$tree/usr/lib/sysimage/rpm/rpmdb.sqlite"
  # librpm of the appliance opens no database with a log on a disk that it may not write to
  sqlite3 "$tree/usr/lib/sysimage/rpm/rpmdb.sqlite" 'PRAGMA journal_mode = DELETE' >/dev/null
  sparse $((256 * MiB)) "$work/$image.raw"
  mke2fs -q -F -t ext4 -d "$tree" "$work/$image.raw"
  as_qcow2
}

# filled TREE SIZE_MIB xfs|btrfs [MOUNT_OPTIONS]: a filesystem on the whole disk, with the files of that tree.
filled() {
  sparse $(($2 / part * MiB + 320 * MiB)) "$work/$image.raw"
  quietly "mkfs.$3" -q -L files "$work/$image.raw"
  by_kernel "$work/$image.raw" <<END
mount -t $3 -o ${4:-defaults} /dev/ubda /tmp/made
cp -a $1/. /tmp/made
umount /tmp/made
END
  whole raw
}

# ntfs TREE SIZE_MIB [ATTRIBUTES]: the same by ntfs-3g's library, in a directory with those attributes, which files inherit.
ntfs() {
  [ -e "$work/volume" ] || "$here/../fixtures/ntfs/build.sh" "$work/volume"
  sparse $(($2 / part * MiB + 64 * MiB)) "$work/$image.raw"
  quietly mkntfs -q -F -Q -L files "$work/$image.raw"
  {
    printf 'attribute\t/\t%s\n' "${3:-0}"
    find "$1" -mindepth 1 \( -type d -printf 'directory\t/%P\n' \) -o \
      \( -type f -printf 'file\t/%P\n' -size +0 -printf 'put\t/%P\t%p\t0\n' \)
  } | LC_ALL=C.UTF-8 "$work/volume" "$work/$image.raw" fill
  whole raw
}

squashfs() {
  local tar
  tar=$(rootfs)
  mkdir -p "$work/guest"
  [ -e "$work/guest/etc" ] || $(unpacked "$work/guest" "$tar")
  quietly mksquashfs "$work/guest" "$work/$image.raw" -noappend -no-progress -comp "$1"
  whole squashfs
}

for image; do
  case $image in
    lvm-xfs | btrfs | rpm | ntfs) suffix=qcow2 ;;
    squashfs-*) suffix=squashfs ;;
    *) suffix=raw ;;
  esac
  [ ! -e "$into/$image.$suffix" ] || continue
  say "$image.$suffix"
  case $image in
    lvm-xfs) lvm_xfs ;;
    btrfs) btrfs_guest ;;
    rpm) rpm_guest ;;
    many-xfs | many-btrfs) many; filled "$work/many" 1024 "${image#many-}" ;;
    many-ntfs) many; ntfs "$work/many" 1024 ;;
    ntfs) ln -s "$into/many-ntfs.raw" "$work/$image.raw"; as_qcow2 ;;
    big-xfs | big-btrfs) big; filled "$work/big" 1536 "${image#big-}" ;;
    big-btrfs-zstd) big; filled "$work/big" 1536 btrfs compress-force=zstd ;;
    big-ntfs) big; ntfs "$work/big" 1280 ;;
    big-ntfs-lznt1) big; ntfs "$work/big" 1280 800 ;;
    squashfs-zstd | squashfs-xz) squashfs "${image#squashfs-}" ;;
    *) die "$image is no image of this script" ;;
  esac
  rm -f "$work/$image.raw"
done
say 'all images are there'
