#!/bin/bash
# Makes ext2, ext3 and ext4 filesystems with each feature of mke2fs 1.47 on and off, all holding the same odd files.
#   scripts/images/ext-features.sh DIRECTORY
# mke2fs -d fills them; e2fsck -D indexes the directories; debugfs then does what no tree on the host can hold: unwritten
# extents, files in hundreds of pieces, attributes of 60 KiB, times beyond 2038, flags.
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
require mke2fs e2fsck debugfs tune2fs setfattr setfacl node mknod mkfifo
[ "$(id -u)" = 0 ] || die 'device nodes need root'
mkdir -p "$1"
into=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

tree() {
  local root=$scratch/rich
  [ ! -e "$root" ] || return 0
  node "$lib/sample-trees.mjs" rich "$root"
  mkdir "$root/special" "$root/owned" "$root/attributes" "$root/times" "$root/made"
  mknod "$root/special/null" c 1 3
  mknod "$root/special/large-minor" b 259 70000
  mknod "$root/special/large-major" c 300 5
  mkfifo "$root/special/fifo"
  # a server that is killed leaves its socket behind
  bash -c 'node -e "$0"; :' "require('net').createServer().listen('$root/special/socket', () => process.kill(process.pid, 'SIGKILL'))" \
    2>/dev/null
  [ -S "$root/special/socket" ] || die 'no socket was made'
  echo x | tee "$root/owned/"{plain,setuid,sticky,nobody} >/dev/null
  chown 70000:80000 "$root/owned/plain"
  chown 65534:65534 "$root/owned/nobody"
  chmod 4755 "$root/owned/setuid"
  chmod 1777 "$root/owned"
  chmod 0 "$root/owned/nobody"
  echo attributed | tee "$root/attributes/"{few,acl,named,empty,capable} >/dev/null
  setfattr -n user.one -v 1 "$root/attributes/few"
  setfattr -n user.two -v 0x00ff00 "$root/attributes/few"
  setfattr -n trusted.three -v "$(printf '%0200d' 3)" "$root/attributes/few"
  setfattr -n user.nothing "$root/attributes/empty"
  setfattr -n "user.$(printf '%0240d' 9)" -v long-name "$root/attributes/named"
  setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 "$root/attributes/capable"
  setfacl -m u:1:r,u:2:rw,g:3:x,m:rwx "$root/attributes/acl"
  setfacl -d -m u:1:r,g:70000:rwx "$root/attributes"
  echo time | tee "$root/times/"{early,nano,late,far,before} >/dev/null
  touch -d @1 "$root/times/early"
  dd if=/dev/urandom of="$scratch/64k" bs=65536 count=1 status=none
  head -c 900 "$scratch/64k" >"$scratch/900"
  head -c 60000 "$scratch/64k" >"$scratch/60000"
  dd if=/dev/urandom of="$scratch/pieces" bs=1024 count=3000 status=none
}

# season IMAGE BLOCK_SIZE FEATURES: what debugfs adds.
season() {
  local image=$1 block=$2 features=" $3 " at
  {
    echo 'cd /made'
    # every second block punched out: as many pieces as the tree of extents needs for another level
    echo "write $scratch/pieces pieces"
    for ((at = 1; at < 3000 * 1024 / block; at += 2)); do echo "punch pieces $at $at"; done
    case $features in *' extent '*)
      echo "write $scratch/900 unwritten"
      echo 'fallocate unwritten 0 9'
      case $features in
        *' bigalloc '*) echo "sif unwritten size $((block * 10 - 5))" ;;
        *) echo "sif unwritten size $((block * 7 + 5))" ;; # blocks beyond the end too
      esac
      ;;
    esac
    case $features in *' ext_attr '*)
      echo "ea_set -f $scratch/900 pieces user.block"
      ;;
    esac
    case $features in *' ea_inode '*)
      echo "ea_set -f $scratch/60000 pieces user.huge"
      echo "ea_set -f $scratch/60000 unwritten user.huge"
      echo "ea_set -f $scratch/64k pieces user.largest"
      ;;
    esac
    echo 'cd /times'
    echo 'sif early atime @2'
    echo 'sif before mtime @-1000'
    if [ "$4" -gt 128 ]; then
      echo 'sif nano mtime @1700000000'
      echo "sif nano mtime_extra $((999999999 * 4))"
      echo 'sif late mtime @2240611200' # 2041
      echo 'sif late ctime @4294967295'
      echo "sif far mtime @$((4294967296 + 5))"
      echo 'sif far atime @9000000000' # 2255, the last of the four epochs that e2fsck believes in
    fi
    echo 'cd /owned'
    echo 'sif plain flags 0x10' # immutable; leaves the flag of extents out, which is set again below when it is needed
    case $features in *' extent '*) case $features in *' inline_data '*) echo 'sif plain flags 0x10000010' ;; *) echo 'sif plain flags 0x80010' ;; esac ;; esac
  } >"$scratch/commands"
  debugfs -w -f "$scratch/commands" "$image" >"$scratch/log" 2>&1
  ! grep -E 'nvalid|rror|not found|No free|while ' "$scratch/log" >&2 || die "debugfs on $image failed"
}

# make NAME SIZE_MIB [-T TUNE2FS_OPTION] MKE2FS_OPTION…
make() {
  local name=$1 size=$2 image=$into/$1.img tune='' features header
  shift 2
  [ ! -e "$image" ] || return 0
  [ "$1" != -T ] || { tune=$2; shift 2; }
  tree
  [ -n "$third_level" ] || rm -f "$scratch/rich/holes/third-level" # 68 MB to be hashed, of use where files have block maps
  sparse $((size * MiB)) "$image.part"
  mke2fs -q -F -L "${name:0:16}" -d "$scratch/rich" "$@" "$image.part" >"$scratch/log" 2>&1 ||
    { cat "$scratch/log" >&2; die "mke2fs $* failed ($name)"; }
  [ -z "$tune" ] || tune2fs -E "$tune" "$image.part" >/dev/null
  header=$(dumpe2fs -h "$image.part" 2>/dev/null)
  features=$(sed -n 's/^Filesystem features: *//p' <<<"$header")
  # status 1: it changed something, which is what it was called for
  e2fsck -fyD "$image.part" >"$scratch/log" 2>&1 || [ $? = 1 ] || { cat "$scratch/log" >&2; die "e2fsck -D on $name"; }
  season "$image.part" "$(sed -n 's/^Block size: *//p' <<<"$header")" "$features" "$(sed -n 's/^Inode size:[^0-9]*//p' <<<"$header")"
  # debugfs keeps no quota, and forgets to count the blocks of attributes that it puts into inodes of their own
  case $features in *ea_inode* | *quota*) e2fsck -fy "$image.part" >/dev/null 2>&1 || [ $? = 1 ] ;; esac
  e2fsck -fn "$image.part" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; die "$name is not clean"; }
  mv "$image.part" "$image"
}

third_level=yes
make ext2-1k 24 -t ext2 -b 1024
make ext2-4k 24 -t ext2 -b 4096
make ext2-none 24 -t ext2 -b 2048 -O none
make ext2-no-filetype 24 -t ext2 -b 1024 -O ^filetype
make ext2-dir-index 24 -t ext2 -b 1024 -I 128 -O dir_index
make ext3-1k 24 -t ext3 -b 1024 -I 128
make ext3-4k 32 -t ext3 -b 4096 -I 256
third_level=
make ext4-1k 32 -t ext4 -b 1024
make ext4-2k 32 -t ext4 -b 2048
make ext4-4k 40 -t ext4 -b 4096
make ext4-8k 64 -t ext4 -b 8192
make ext4-64k 256 -t ext4 -b 65536
for feature in has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg metadata_csum sparse_super large_file \
  huge_file dir_nlink extra_isize; do
  case $feature in
    extent) options='^extent,^64bit' ;;
    sparse_super) options='^sparse_super,^resize_inode' ;;
    *) options=^$feature ;;
  esac
  make "ext4-no-$feature" 32 -t ext4 -b 1024 -O "$options"
done
make ext4-inode-128 32 -t ext4 -b 1024 -I 128
make ext4-inode-1024 40 -t ext4 -b 4096 -I 1024
make ext4-hash-tea 32 -T hash_alg=tea -t ext4 -b 1024
make ext4-hash-legacy 32 -T hash_alg=legacy -t ext4 -b 1024
make ext4-uninit-bg 32 -t ext4 -b 1024 -O '^metadata_csum,uninit_bg'
make ext4-csum-seed 32 -t ext4 -b 1024 -O metadata_csum_seed
make ext4-meta-bg 64 -t ext4 -b 1024 -g 1024 -N 16384 -O '^resize_inode,meta_bg'
make ext4-meta-bg-32 64 -t ext4 -b 1024 -g 2048 -N 16384 -O '^resize_inode,meta_bg,^64bit,^flex_bg'
make ext4-sparse-super2 48 -t ext4 -b 1024 -g 2048 -N 16384 -O '^resize_inode,sparse_super2'
make ext4-packed 48 -t ext4 -b 1024 -E packed_meta_blocks=1
make ext4-bigalloc 96 -t ext4 -b 1024 -C 16384 -O bigalloc
make ext4-bigalloc-4k 160 -t ext4 -b 4096 -C 65536 -O bigalloc,inline_data
make ext4-inline-data 32 -t ext4 -b 1024 -O inline_data
make ext4-inline-data-1024 40 -t ext4 -b 4096 -I 1024 -O inline_data,ea_inode
make ext4-inline-data-4k 40 -t ext4 -b 4096 -I 256 -O inline_data,^metadata_csum
make ext4-ea-inode 40 -t ext4 -b 1024 -O ea_inode
make ext4-large-dir 32 -t ext4 -b 1024 -O large_dir
make ext4-casefold 32 -t ext4 -b 1024 -O casefold -E encoding=utf8
make ext4-orphan-file 40 -t ext4 -b 4096 -O orphan_file
make ext4-quota 40 -t ext4 -b 4096 -O quota,project -E quotatype=usrquota:grpquota:prjquota
make ext4-verity 32 -t ext4 -b 4096 -O verity,stable_inodes,encrypt
make ext4-mmp 32 -t ext4 -b 1024 -O mmp
make ext4-fast-commit 40 -t ext4 -b 4096 -O fast_commit
make ext4-everything 128 -t ext4 -b 4096 -I 512 -O '^resize_inode,meta_bg,inline_data,ea_inode,large_dir,metadata_csum_seed,orphan_file,quota,project,mmp,casefold,verity,encrypt,stable_inodes,fast_commit' -E encoding=utf8
