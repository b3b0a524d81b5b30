#!/bin/bash
# Writes NAME.truth.jsonl.gz beside images: what a kernel that is a process of this machine shows in them.
#   user-truth.sh DIRECTORY FILE:WHERE:TYPE:NAME…        as kernel-truth.sh; at most 15 files
# DIRECTORY is not below /tmp, where that kernel has a filesystem of its own.
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
. "$lib/user-walk.sh"
require linux.uml node vgchange

into=$(cd "$1" && pwd)
shift
scratch=$(mktemp -d "$into/truth.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/truth"
walk_here "$scratch/here" "$scratch/truth" "$into" "$@"
for spec; do
  IFS=: read -r file where type name <<<"$spec"
  node "$lib/truth.mjs" "$scratch/truth" "$name" "$type" "$into" || die "$(cat "$scratch/truth/$name/refused" "$scratch/truth/log" 2>&1)"
done
