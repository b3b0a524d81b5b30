#!/bin/bash
# Makes FAT12, FAT16 and FAT32 filesystems, filled and torn by mtools. Beside each NAME.img, NAME.mtools.json: what mtools
# reads back (path, size, sha256).
#   scripts/images/fat.sh DIRECTORY
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
require mkfs.vfat mcopy mmd mdel mattrib fsck.fat node
mkdir -p "$1"
into=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C.UTF-8 # mtools turns names into UTF-16 by the locale

tree() {
  local root=$scratch/tree number
  [ ! -e "$root" ] || return 0
  mkdir -p "$root/deep/a/b/c/d/e/f/g/h/i/j/k/l/m/n" "$root/many" "$root/empty directory"
  echo bottom >"$root/deep/a/b/c/d/e/f/g/h/i/j/k/l/m/n/BOTTOM.TXT"
  for number in $(seq 1 150); do echo "$number" >"$root/many/A file with quite a long name, number $number.text"; done
  echo upper >"$root/UPPER.TXT"
  echo lower >"$root/lower.txt"
  echo mixed >"$root/Mixed.Txt"
  echo half >"$root/lower.EXT"
  echo dots >"$root/many.dots.in.it.tar.gz"
  echo noext >"$root/NOEXT"
  echo lead >"$root/.leading"
  echo umlaut >"$root/Überblick für Größen.txt"
  echo han >"$root/漢字かな.txt"
  echo cyr >"$root/Привет мир.txt"
  echo face >"$root/smile 😀.txt"
  echo e5 >"$root/σ first byte.txt"
  echo long >"$root/$(printf 'long%.0s' $(seq 1 63))e"
  echo thirteen >"$root/exactly13char"
  echo twentysix >"$root/exactly-twenty-six-letters"
  : >"$root/zero.bin"
  head -c 511 /dev/urandom >"$root/s511"
  head -c 512 /dev/urandom >"$root/s512"
  head -c 513 /dev/urandom >"$root/s513"
  head -c 70001 /dev/urandom >"$root/s70001"
  touch -d '1980-01-01 00:00:00' "$root/s511"
  touch -d '2099-12-31 23:59:58' "$root/s512"
  touch -d '2024-02-29 12:34:57' "$root/s513"
  head -c 90000 /dev/urandom >"$scratch/torn"
}

# make NAME SIZE_KIB MKFS_OPTION…
make() {
  local name=$1 size=$2 image=$into/$1.img number
  shift 2
  [ ! -e "$image" ] || return 0
  tree
  sparse "${size}K" "$image.part"
  mkfs.vfat -n "$(head -c 11 <<<"${name^^}")" -i 1234ABCD "$@" "$image.part" >"$scratch/log" 2>&1 || { cat "$scratch/log"; die "mkfs.vfat $*"; }
  mcopy -s -m -Q -i "$image.part" "$scratch/tree/"* "$scratch/tree/.leading" ::/
  # a file in pieces: fill gaps that others leave
  for number in $(seq 1 24); do head -c 3000 /dev/urandom >"$scratch/gap-$number"; done
  mmd -i "$image.part" ::/gaps
  mcopy -Q -i "$image.part" "$scratch"/gap-* ::/gaps/
  for number in $(seq 1 2 24); do mdel -i "$image.part" "::/gaps/gap-$number"; done
  mcopy -m -Q -i "$image.part" "$scratch/torn" "::/torn into pieces.bin"
  mattrib -i "$image.part" +h +s ::/UPPER.TXT
  mattrib -i "$image.part" +r ::/lower.txt ::/s513
  fsck.fat -n "$image.part" >"$scratch/log" 2>&1 || { cat "$scratch/log"; die "$name is not clean"; }
  rm -rf "$scratch/back" && mkdir "$scratch/back"
  mcopy -s -m -Q -n -i "$image.part" '::/*' "$scratch/back/"
  node "$lib/checksums.mjs" "$scratch/back" >"$image.part.json"
  mv "$image.part.json" "$into/$name.mtools.json"
  mv "$image.part" "$image"
}

make fat12-floppy 1440 -F 12
make fat12-clusters 8192 -F 12 -s 8
make fat16 16384 -F 16 -s 1
make fat16-clusters 65536 -F 16 -s 16 -r 1024
make fat16-reserved 32768 -F 16 -R 17 -f 1
# one sector a cluster would be too little: mtools lets a directory grow by one cluster, and the longest name needs 21 slots
make fat32 140000 -F 32 -s 2
make fat32-clusters 300000 -F 32 -s 8 -f 1
make fat32-sector-4k 300000 -F 32 -S 4096 -s 1
