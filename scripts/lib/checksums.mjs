// Prints, as JSON, the files below a directory: path, size and sha256, sorted by path.
//   node checksums.mjs DIRECTORY
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.argv[2];
const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .map((entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const name = `/${relative(root, path)}`;
    if (!entry.isFile()) return { path: name };
    const bytes = readFileSync(path);
    return { path: name, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  })
  .sort((a, b) => (a.path < b.path ? -1 : 1));
console.log(JSON.stringify(files));
