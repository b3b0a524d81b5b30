# Images by qemu-img; read with `.`. Needs qemu-img and qemu-io.

# make FORMAT NAME SIZE OPTIONS-OR-NOTHING COMMAND… : an image, and qemu-io's commands on it
make() {
  local kind=$1 name=$2 size=$3 options=$4 commands=()
  shift 4
  qemu-img create -q -f "$kind" ${options:+-o "$options"} "$name" "$size"
  for command; do commands+=(-c "$command"); done
  qemu-io -f "$kind" "${commands[@]}" "$name" >io.log || { cat io.log >&2; exit 1; }
  ! grep -i 'failed\|error' io.log >&2
  rm io.log
}
