// Turns what e2fsprogs-walk.sh wrote down into one file, sorted by image and by path.
//   node e2fsprogs-truth.mjs FOLDER FILE.json.gz
// Of each image: whether the kernel mounts it without its log, read-only, and to be written (else mount's words),
// what the kernel's log says of that, and its files: [path, type and permissions, nlink, uid, gid, size, ino, blocks,
// mtime, target or SHA-256], of a name that cannot be asked about only the path. Paths as `truth.mjs` has them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { text } from '../lib/text-bytes.mjs';

const [folder, target] = process.argv.slice(2);

/** The fields of a file in which each ends with a NUL; what was cut off at the end is none. */
function fields(path) {
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch {
    return [];
  }
  const found = [];
  for (let at = 0, end = bytes.indexOf(0); end >= 0; at = end + 1, end = bytes.indexOf(0, at))
    found.push(bytes.subarray(at, end));
  return found;
}

const pathOf = (bytes) => `/${text(bytes).replace(/^\.(?:$|\/)/, '')}`;

function files(from) {
  const found = new Map(fields(join(from, 'names')).map((name) => [pathOf(name), [pathOf(name)]]));
  const stats = fields(join(from, 'stat'));
  for (let index = 0; index + 1 < stats.length; index += 2) {
    const head = stats[index].toString('latin1').match(/^(?:\S+ ){9}/)[0];
    const [type, mode, nlink, uid, gid, size, ino, blocks, mtime] = head.split(' ');
    const path = pathOf(stats[index].subarray(head.length));
    const row = [path, `${type} ${mode}`, ...[nlink, uid, gid, size, ino, blocks].map(Number), mtime];
    if (type === 'l') row.push(text(stats[index + 1]));
    found.set(path, row);
  }
  for (const field of fields(join(from, 'sums'))) {
    const row = found.get(pathOf(field.subarray(66)));
    if (row?.length === 9) row.push(field.subarray(0, 64).toString('latin1'));
  }
  return [...found.values()].sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Listings of so many files are left out: this kernel takes too long over them, and their truth would be most of the
 * file.
 */
const most = 2000;
const kept = (all) => (all.length > most ? undefined : all);

const images = {};
for (const name of readdirSync(folder).sort()) {
  const from = join(folder, name);
  let mounts;
  try {
    mounts = Object.fromEntries(
      ['noload', 'ro', 'rw'].map((mode) => [mode, readFileSync(join(from, `${mode}.mount`), 'utf8')]),
    );
  } catch {
    continue; // the log of the walk
  }
  const why = (said) => said.replace(/^mount: \/tmp\/at: /, '').split('\n')[0];
  images[name] = {
    ...Object.fromEntries(Object.entries(mounts).map(([mode, said]) => [mode, why(said)])),
    log: readFileSync(join(from, 'dmesg'), 'utf8')
      .split('\n')
      .map((line) =>
        line
          .replace(/^\[[^\]]*\] /, '')
          .replace(/\(sd[a-z]+\)/, '')
          .replace(/device sd[a-z]+/, 'device'),
      )
      .filter((line) => /EXT[234]-fs|JBD2/.test(line))
      .slice(0, 6),
    files: kept(files(from)),
  };
}
writeFileSync(target, gzipSync(JSON.stringify(images), { level: 9 }));
console.error(`${Object.keys(images).length} images`);
