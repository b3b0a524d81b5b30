#!/bin/bash
# Writes NAME.truth.jsonl.gz (and NAME.layout.json): what the kernel shows in images. One that is a process of this machine walks
# what it can, in seconds, and the appliance's the rest: names without case, logical volumes, …
#   kernel-truth.sh DIRECTORY FILE:WHERE:TYPE:NAME…
# WHERE is 0 (the whole disk), a partition's number, GROUP/VOLUME, or `lvm` with TYPE `report` for LVM's own tables.
# It ends with 3 for a filesystem that this kernel refuses (blocks larger than its pages, …): debugfs-truth.mjs is for those.
# Of a dirty-* image, whose log it cannot replay, the file is removed, to be written anew.
set -euo pipefail
. "$(dirname "$0")/../lib/host-image.sh"
. "$lib/user-walk.sh"
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

mkdir -p "$into/work"
# not below /tmp, where the other kernel has a filesystem of its own
scratch=$(mktemp -d "$into/work/truth.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/truth"

walk_all_here() {
  command -v linux.uml >/dev/null || return 0
  local spec file where type name all=() boot=0 i
  for spec in "${specs[@]}"; do
    IFS=: read -r file where type name <<<"$spec"
    # it shows no encrypted name, and opens no file of fs-verity
    [[ $type = ext* && $where =~ ^[0-9]+$ && $name != *-encrypt && $name != *-verity ]] && all+=("$spec")
  done
  say "${#all[@]} are walked here"
  for ((i = 0; i < ${#all[@]}; i += 9)); do
    walk_here "$scratch/here$i" "$scratch/truth" "$into" "${all[@]:i:9}" &
    # two at once
    ((++boot % 2)) || wait
  done
  wait
  # what this kernel does not know is the other's
  local left=()
  for spec in "${specs[@]}"; do
    name=${spec##*:}
    if [ -e "$scratch/truth/$name/blkid" ] && [ ! -e "$scratch/truth/$name/refused" ]; then continue; fi
    rm -rf "${scratch:?}/truth/$name"
    left+=("$spec")
  done
  specs=("${left[@]}")
}

all=("${specs[@]}")
walk_all_here

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
if [ ${#specs[@]} -gt 0 ]; then
  say "the appliance's kernel walks ${#specs[@]} of: ${!drives[*]}"
  appliance <<<"$commands"
  tar -C "$scratch/truth" -xf "$scratch/out"
fi
refused=''
for spec in "${all[@]}"; do
  IFS=: read -r file where type name <<<"$spec"
  node "$lib/truth.mjs" "$scratch/truth" "$name" "$type" "$into" || {
    [ $? = 3 ] || exit 1
    refused=1
    [[ $name != dirty-* ]] || rm "$into/$file"
  }
done
[ -z "$refused" ] || exit 3
