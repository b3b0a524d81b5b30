#!/bin/bash
# Makes, in one start of the appliance, what only the kernel writes: DIRECTORY/features/kernel-*.img (case folding, projects,
# verity, encryption, torn trees of extents, inline data, large attributes), and DIRECTORY/dirty-*.raw, whose writer is
# killed in the middle, so that the log has to be replayed.
#   scripts/images/kernel-made.sh DIRECTORY
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
require guestfish node mke2fs dumpe2fs apt-get dpkg-deb
mkdir -p "$1/features" "$1/work"
into=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

names=() calls=''

# image NAME made|dirty MOUNT_OPTIONS WRITER MKE2FS_OPTION…
image() {
  local name=$1 how=$2 options=$3 writer=$4 file=$into/$1.raw
  shift 4
  [ "$how" = dirty ] || file=$into/features/$name.img
  [ ! -e "$file" ] || return 0
  sparse $((64 * MiB)) "$file.part"
  mke2fs -q -F -L "${name:0:16}" -E lazy_itable_init=0 "$@" "$file.part"
  names+=("$file")
  calls+="$how $name \$(drive ${#names[@]}) $options $writer
"
}

images() {
  image kernel-casefold made defaults casefold -t ext4 -b 1024 -O casefold -E encoding=utf8
  image kernel-project made prjquota projects -t ext4 -O quota,project -E quotatype=usrquota:grpquota:prjquota
  image kernel-verity made defaults verity -t ext4 -b 4096 -O verity
  image kernel-encrypt made defaults encrypted -t ext4 -b 4096 -O encrypt
  image kernel-trees made defaults trees -t ext4 -b 1024
  image kernel-trees-4k made defaults trees -t ext4 -b 4096
  image kernel-maps made defaults torn -t ext4 -b 1024 -O ^extent,^64bit
  image kernel-bigalloc made defaults trees -t ext4 -b 1024 -C 8192 -O bigalloc
  image kernel-inline made defaults inline -t ext4 -b 1024 -I 512 -O inline_data,ea_inode
  image kernel-inline-4k made defaults inline -t ext4 -b 4096 -O inline_data,ea_inode,metadata_csum_seed
  image dirty-1k dirty data=ordered plainly -t ext4 -b 1024
  image dirty-4k dirty data=ordered plainly -t ext4 -b 4096
  image dirty-ext3 dirty data=ordered plainly -t ext3 -b 1024
  image dirty-64bit-nocsum dirty data=ordered plainly -t ext4 -b 4096 -O 64bit,^metadata_csum
  image dirty-32bit-csum dirty data=ordered plainly -t ext4 -b 1024 -O ^64bit,metadata_csum
  image dirty-checksum-v1 dirty journal_checksum plainly -t ext4 -b 4096 -O ^64bit,^metadata_csum
  image dirty-async dirty data=writeback,journal_checksum,journal_async_commit plainly -t ext4 -b 4096
  image dirty-revoke dirty data=ordered revoked -t ext4 -b 1024
  image dirty-revoke-4k dirty data=ordered revoked -t ext4 -b 4096 -O ^64bit
  image dirty-journal-data dirty data=journal journalled -t ext4 -b 4096
  image dirty-journal-data-1k dirty data=journal journalled -t ext3 -b 1024
  image dirty-wrapped dirty data=ordered wrapped -t ext4 -b 1024 -J size=1
  image dirty-orphans dirty data=ordered orphaned -t ext4 -b 1024
  image dirty-orphan-file dirty data=ordered orphaned -t ext4 -b 4096 -O orphan_file
  image dirty-fast-commit dirty data=ordered fast -t ext4 -b 4096 -O fast_commit
  image dirty-fast-commit-1k dirty data=ordered fast -t ext4 -b 1024 -O fast_commit
}

images
[ ${#names[@]} -gt 0 ] || exit 0
say "the kernel writes ${#names[@]}, and is killed"
fetch_deb fsverity "$into/work/fsverity"
fetch_deb libfsverity0 "$into/work/libfsverity"
mkdir "$scratch/bin"
cp "$into"/work/fsverity/usr/bin/fsverity "$into"/work/libfsverity/usr/lib/*/libfsverity.so.0 "$scratch/bin"
# the tools that the appliance lacks, as a tar file on the last disk
# and a file in many pieces
node "$lib/sample-trees.mjs" torn "$scratch/pieces"
tar --sparse -C "$scratch" -cf "$scratch/tools" pieces -C "$scratch/bin" fsverity libfsverity.so.0
truncate -s %512 "$scratch/tools"
{
  echo "tools=\$(drive $((${#names[@]} + 1)))"
  echo 'tar -C /tmp/tools -xf "$tools" fsverity libfsverity.so.0'
  echo "$calls"
  echo ready
} >"$scratch/calls"
script_drive "$scratch/script" "$here/writers.sh" "$scratch/calls"

exec {lock}>"${GUESTFISH_LOCK:-/tmp/guestfish.lock}"
flock $lock
eval "$(nice guestfish --listen {lock}>&- 2>"$scratch/guestfish")" # it complains of the kill below
[ -n "${GUESTFISH_PID-}" ] || die 'guestfish does not listen'
trap 'guestfish --remote exit >/dev/null 2>&1 || true; rm -rf "$scratch"' EXIT
fish() { guestfish --remote -- "$@"; }
fish add-drive "$scratch/script" format:raw readonly:true
for file in "${names[@]}"; do fish add-drive "$file.part" format:raw; done
fish add-drive "$scratch/tools" format:raw readonly:true
fish run
say "the appliance is up"
answer=$(fish debug sh 'sh /dev/disk/by-path/*-scsi-0:0:0:0')
say "the writers have written"
kill -9 "$(fish get-pid)"
printf '%s\n' "$answer" >"$into/work/kernel-made.log"
grep -q '^READY' <<<"$answer" || die "the writers did not come to their end: $answer"
failed=''
for file in "${names[@]}"; do
  name=$(basename "${file%.*}")
  if grep -E "^(REFUSED|FAILED) $name(:|\$)" <<<"$answer" >&2; then
    failed=1
  elif [[ $name == dirty-* ]] && ! dumpe2fs -h "$file.part" 2>/dev/null | grep -q '^Filesystem features:.* needs_recovery'; then
    say "$name needs no recovery"
    failed=1
  else
    mv "$file.part" "$file"
  fi
done
[ -z "$failed" ] || die "some writers failed: see $into/work/kernel-made.log"
