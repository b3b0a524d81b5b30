#!/bin/bash
# Fetches util-linux's own sample images for blkid, from its Debian source package, and what blkid tells of each.
#   scripts/images/blkid.sh [DIRECTORY]      default: .cache/images
# Makes blkid/NAME.img, unpacked with holes, and blkid/expected/NAME. What is there already is kept.
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
require xz apt-get tar

into=${1:-$here/../../.cache/images}
[ ! -d "$into/blkid" ] || exit 0
source=$here/../../.cache/source/util-linux
fetch_source util-linux "$source"

mkdir -p "$into"
part=$(mktemp -d "$into/blkid.part.XXXXXX")
mkdir "$part/expected"
for packed in "$source"/tests/ts/blkid/images-{fs,pt}/*.img.xz; do
  cp "$packed" "$part"
done
xz --decompress "$part"/*.xz
for expected in "$source"/tests/expected/blkid/low-probe-*; do
  cp "$expected" "$part/expected/${expected##*/low-probe-}"
done
chmod 755 "$part"
mv "$part" "$into/blkid"
say 'ready: blkid'
