#!/bin/bash
# Writes test/golden/truth/e2fsprogs.json.gz: what the kernel makes of each of the damaged and odd filesystems with which
# e2fsprogs tests its e2fsck (the images come with its source package), in one start of the appliance.
#   scripts/images/e2fsprogs.sh [--fetch]       with --fetch only the images, into .cache/source/e2fsprogs
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
cache=$here/../../.cache
mkdir -p "$cache/source"
fetch_source e2fsprogs "$cache/source/e2fsprogs"
[ "${1-}" != --fetch ] || exit 0
require guestfish node tar flock

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sparse $((512 * MiB)) "$scratch/out"
commands="add-drive \"$scratch/script\" format:raw readonly:true
add-drive \"$scratch/out\" format:raw
"
count=2
for packed in "$cache"/source/e2fsprogs/tests/*/image.gz; do
  name=$(basename "$(dirname "$packed")")
  zcat "$packed" | dd of="$scratch/$name" bs=64K iflag=fullblock conv=sparse status=none
  # the kernel sees whole sectors only
  truncate -s %512 "$scratch/$name"
  commands+="add-drive \"$scratch/$name\" format:raw readonly:true
"
  echo "look $name \$(drive $count)"
  count=$((count + 1))
done >"$scratch/calls.list"
echo 'finish $(drive 1)' >>"$scratch/calls.list"
script_drive "$scratch/script" "$here/e2fsprogs-walk.sh" "$scratch/calls.list"
commands+='run
debug sh "sh /dev/disk/by-path/*-scsi-0:0:0:0"
shutdown
'
say "the kernel looks at $((count - 2)) images"
appliance <<<"$commands"
mkdir "$scratch/truth"
tar -C "$scratch/truth" -xf "$scratch/out"
[ -z "${KEEP_WALK-}" ] || cp -a "$scratch/truth" "$KEEP_WALK"
node "$here/e2fsprogs-truth.mjs" "$scratch/truth" "$here/../../test/golden/truth/e2fsprogs.json.gz"
