# Images by qemu-img; read with `.`. Needs qemu-img and qemu-io.

# create NAME SIZE [qemu-img create options…] : an image of the format $kind
create() {
  local name=$1 size=$2
  shift 2
  qemu-img create -q -f "$kind" "$@" "$name" "$size"
}

# io IMAGE COMMAND… : qemu-io commands on an image of the format $kind, one an argument
io() {
  local image=$1 commands=() command
  shift
  for command; do commands+=(-c "$command"); done
  qemu-io -f "$kind" "${commands[@]}" "$image" >io.log || { cat io.log >&2; exit 1; }
  ! grep -i 'failed\|error' io.log >&2
  rm io.log
}

# make FORMAT NAME SIZE OPTIONS-OR-NOTHING COMMAND… : an image, and qemu-io's commands on it
make() {
  local kind=$1 name=$2 size=$3 options=$4
  shift 4
  create "$name" "$size" ${options:+-o "$options"}
  io "$name" "$@"
}
