// Turns what tree-listing.sh wrote down about one filesystem into NAME.truth.jsonl.gz: a line for each file, sorted
// by path.
//   node truth.mjs FOLDER NAME TYPE INTO
// Ends with 3 where the kernel refused the filesystem. A name's bytes that are not UTF-8 are written as lone
// surrogates (0xNN as U+DCNN), as the library gives them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { text } from './text-bytes.mjs';

const [folder, name, type, into] = process.argv.slice(2);
const from = join(folder, name);
const target = (suffix) => join(into, `${name}.${suffix}`);

/** The fields of a file in which each ends with a NUL. */
function* fields(file) {
  const bytes = readFileSync(join(from, file));
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at);
    if (end < 0) throw new Error(`${name}/${file}: the last field has no end`);
    yield bytes.subarray(at, end);
    at = end + 1;
  }
}

/** find's ./a/b, or getfattr's a/b, as the path /a/b. */
const pathOf = (bytes) => `/${text(bytes).replace(/^\.(?:$|\/)/, '')}`;

function walk() {
  const files = new Map();
  for (const field of fields('stat')) {
    const head = field.toString('latin1').match(/^(?:\S+ ){12}/)[0];
    const [mode, nlink, uid, gid, size, major, minor, ino, blocks, atime, mtime, ctime] = head.split(' ');
    const path = pathOf(field.subarray(head.length));
    files.set(path, {
      path,
      mode: Number.parseInt(mode, 16),
      nlink: Number(nlink),
      uid: Number(uid),
      gid: Number(gid),
      size: Number(size),
      rdev: [Number.parseInt(major, 16), Number.parseInt(minor, 16)],
      ino: Number(ino),
      blocks: Number(blocks),
      atime,
      mtime,
      ctime,
    });
  }
  let link;
  for (const field of fields('links')) {
    if (link) {
      link.link = text(field);
      link = undefined;
    } else link = files.get(pathOf(field));
  }
  for (const field of fields('sums'))
    files.get(pathOf(field.subarray(66))).sha256 = field.subarray(0, 64).toString('latin1');
  if (existsSync(join(from, 'xattrs'))) attributes(files);
  for (const file of files.values()) if ((file.mode & 0xf000) === 0x8000) file.sha256 ??= null;
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * getfattr's text: `# file: NAME`, lines of `name=0xHEX`, an empty line; odd bytes as a backslash and three octal
 * digits.
 */
function attributes(files) {
  const plain = (line) =>
    Buffer.from(
      line.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8))),
      'latin1',
    );
  let file;
  for (const line of readFileSync(join(from, 'xattrs'), 'latin1').split('\n')) {
    if (line.startsWith('# file: ')) {
      file = files.get(pathOf(plain(line.slice(8))));
      if (!file) throw new Error(`${name}: attributes of the unknown file ${line.slice(8)}`);
      file.xattrs = {};
    } else if (line) {
      const [, attribute, value] = line.match(/^([^=]*)(?:=(?:0x([0-9a-fA-F]*)|""))?$/);
      file.xattrs[text(plain(attribute))] = (value ?? '').toLowerCase();
    }
  }
}

mkdirSync(dirname(target('x')), { recursive: true });
if (type === 'report') {
  const read = (kind) => JSON.parse(readFileSync(join(from, `${kind}.json`), 'utf8')).report[0];
  const layout = {
    ...read('pvs'),
    ...read('vgs'),
    ...read('lvs'),
    segments: read('segments').lv ?? read('segments').seg,
  };
  writeFileSync(target('layout.json'), `${JSON.stringify(layout, null, 1)}\n`);
} else if (existsSync(join(from, 'refused'))) {
  console.error(`the kernel refuses ${name}: ${readFileSync(join(from, 'refused'), 'utf8')}`);
  process.exitCode = 3;
} else {
  const statfs = JSON.parse(readFileSync(join(from, 'statfs'), 'utf8'));
  const blkid = Object.fromEntries(
    readFileSync(join(from, 'blkid'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const { LABEL: label = '', UUID: uuid = '', TYPE: kind = '' } = blkid;
  const lines = [{ teller: 'kernel', type: kind, label, uuid, statfs }, ...walk()];
  writeFileSync(
    target('truth.jsonl.gz'),
    gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
  );
}
