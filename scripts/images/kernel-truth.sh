#!/bin/bash
# Writes NAME.truth.jsonl.gz (and NAME.layout.json): what the kernel shows in images, in one start of the appliance.
#   kernel-truth.sh DIRECTORY FILE:WHERE:TYPE:NAME…
# WHERE is 0 (the whole disk), a partition's number, GROUP/VOLUME, or `lvm` with TYPE `report` for LVM's own tables.
# It ends with 3 for a filesystem that this kernel refuses (blocks larger than its pages, …): debugfs-truth.mjs is for those.
# Of a dirty-* image, whose log it cannot replay, the file is removed, to be written anew.
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
require guestfish node tar flock

into=$(cd "$1" && pwd)
shift
specs=()
for spec; do
  IFS=: read -r file where type name <<<"$spec"
  made=$into/$name.truth.jsonl.gz
  [ "$type" != report ] || made=$into/$name.layout.json
  [ "$made" -nt "$into/$file" ] || specs+=("$spec")
done
[ ${#specs[@]} -gt 0 ] || exit 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
sparse $((512 * MiB)) "$scratch/out"
declare -A drives=()
lane=1
commands="add-drive \"$scratch/script\" format:raw readonly:true
add-drive \"$scratch/out\" format:raw
"
for spec in "${specs[@]}"; do
  IFS=: read -r file where type name <<<"$spec"
  [ -n "${drives[$file]-}" ] || {
    drives[$file]=$((${#drives[@]} + 2))
    commands+="add-drive \"$into/$file\" format:raw readonly:true
"
  }
  case $where in
    lvm) echo "report '$name'" ;;
    */*) echo "walk '$name' '/dev/$where' '$type'" ;;
    0) echo "walk '$name' \$(drive ${drives[$file]}) '$type'" ;;
    *) echo "walk '$name' \$(drive ${drives[$file]} $where) '$type'" ;;
  esac >>"$scratch/lane$((lane = 1 - lane))"
done
# the appliance has two processors, and each of them something to do
{
  for lane in 0 1; do
    [ ! -e "$scratch/lane$lane" ] || printf '{\n%s\n} &\n' "$(cat "$scratch/lane$lane")"
  done
  echo wait
  echo 'finish $(drive 1)'
} >"$scratch/calls"
script_drive "$scratch/script" "$lib/tree-listing.sh" "$scratch/calls"
commands+='smp 2
run
debug sh "sh /dev/disk/by-path/*-scsi-0:0:0:0"
shutdown
'
say "the kernel walks ${#specs[@]} of: ${!drives[*]}"
appliance <<<"$commands"
mkdir "$scratch/truth"
tar -C "$scratch/truth" -xf "$scratch/out"
refused=''
for spec in "${specs[@]}"; do
  IFS=: read -r file where type name <<<"$spec"
  node "$lib/truth.mjs" "$scratch/truth" "$name" "$type" "$into" || {
    [ $? = 3 ] || exit 1
    refused=1
    [[ $name != dirty-* ]] || rm "$into/$file"
  }
done
[ -z "$refused" ] || exit 3
