/**
 * A registry hive that has nothing but its root: as bytes, by the format that libhivex reads ("regf" 1.3). Numbers are
 * little-endian; cells are referred to by their offset in the bins, which begin after the header.
 */

const blockLength = 4096;
const nowhere = 0xffff_ffff;

/** A cell in use: its length with its own four bytes in front, negated, and a multiple of eight. */
function cell(length: number, fill: (body: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(Math.ceil((length + 4) / 8) * 8);
  bytes.writeInt32LE(-bytes.length, 0);
  fill(bytes.subarray(4));
  return bytes;
}

function rootKey(security: number, name: string): Buffer {
  return cell(76 + name.length, (key) => {
    key.write('nk', 0);
    key.writeUInt16LE(0x2c, 2); // the root, may not be deleted, its name is ASCII
    for (const at of [28, 32, 40, 48]) key.writeUInt32LE(nowhere, at); // neither keys nor values nor a class
    key.writeUInt32LE(security, 44);
    key.writeUInt16LE(name.length, 72);
    key.write(name, 76, 'latin1');
  });
}

/** One security descriptor, in a ring of itself. */
function security(at: number): Buffer {
  const descriptor = Buffer.from([1, 0, 0, 0x80, ...new Array(16).fill(0)]);
  return cell(20 + descriptor.length, (body) => {
    body.write('sk', 0);
    body.writeUInt32LE(at, 4);
    body.writeUInt32LE(at, 8);
    body.writeUInt32LE(1, 12);
    body.writeUInt32LE(descriptor.length, 16);
    descriptor.copy(body, 20);
  });
}

export function emptyHive(): Buffer {
  const rootAt = 32;
  const rootName = '$$$PROTO.HIV';
  const securityAt = rootAt + rootKey(0, rootName).length;
  const used = Buffer.concat([rootKey(securityAt, rootName), security(securityAt)]);
  const bin = Buffer.alloc(blockLength);
  bin.write('hbin', 0);
  bin.writeUInt32LE(blockLength, 8);
  used.copy(bin, rootAt);
  bin.writeInt32LE(blockLength - rootAt - used.length, rootAt + used.length); // the rest is free
  const header = Buffer.alloc(blockLength);
  header.write('regf', 0);
  for (const [at, value] of [
    [4, 1],
    [8, 1],
    [20, 1],
    [24, 3],
    [32, 1],
    [36, rootAt],
    [40, blockLength],
    [44, 1],
  ] as const)
    header.writeUInt32LE(value, at);
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= header.readUInt32LE(at);
  header.writeUInt32LE(sum >>> 0, 508);
  return Buffer.concat([header, bin]);
}
