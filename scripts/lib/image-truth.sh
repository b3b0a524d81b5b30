# What foreign tools see in an image, added to cases.json; read with `.`, in the folder of the images. Needs qemu-img and node.

# expect IMAGE [SNAPSHOT SIZE] : the image's contents, map and header, by qemu-img.
# `format=NAME expect IMAGE` gives the format, for an image that does not show it; `map=none`: of this format qemu-img maps
# everything as data.
expect() {
  local image=$1 snapshot=${2:-} size=${3:-} options=() given=()
  if [ -n "${format:-}" ]; then given=(-f "$format"); fi
  if [ -n "$snapshot" ]; then options=(-l "snapshot.name=$snapshot"); fi
  qemu-img convert "${given[@]}" "${options[@]}" -O raw "$image" contents.raw
  # qemu-img shows a snapshot in the size that the disk has now; going back to it gives it the size it had.
  if [ -n "$size" ]; then truncate -s "$size" contents.raw; fi
  # Holes of the host's filesystem would show in the map, too.
  for file in *; do
    cp --sparse=never "$file" filled && cat filled > "$file"
  done
  rm filled
  echo '[]' > map.json
  if [ -z "$snapshot" ]; then qemu-img map "${given[@]}" --output=json "$image" > map.json; fi
  if [ "${map:-}" = none ]; then echo null > map.json; fi
  qemu-img info "${given[@]}" --output=json "$image" > info.json
  record "$image" "$snapshot"
}

# record IMAGE [SNAPSHOT] : a case from contents.raw, info.json and map.json, which is `null` where no tool maps the image.
record() {
  node - "$1" "${2:-}" "${format:-}" <<'NODE'
const { createHash } = require('node:crypto');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const [image, snapshot, format] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(name, 'utf8'));
const contents = readFileSync('contents.raw');
const map = read('map.json')?.map(({ start, length, zero }) => ({ start, length, zero })) ?? null;
const cases = existsSync('cases.json') ? read('cases.json') : [];
const sha256 = createHash('sha256').update(contents).digest('hex');
const given = format === '' ? {} : { format };
cases.push({ image, snapshot, ...given, size: contents.length, sha256, map, info: read('info.json') });
writeFileSync('cases.json', `${JSON.stringify(cases)}\n`);
NODE
  rm -f contents.raw map.json info.json
}
