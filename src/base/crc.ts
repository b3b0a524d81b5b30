/**
 * The checksums of on-disk formats: CRC-32C (Castagnoli; ext4, btrfs, XFS), CRC-32 (IEEE 802.3; GPT, LVM) and CRC-16
 * (ANSI; ext4's older group checksums), each reflected, table-driven, without final inversion unless told.
 */

/** Eight tables, for eight bytes a step ("slicing by 8"). */
function tables32(polynomial: number): Uint32Array[] {
  const first = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    first[n] = c >>> 0;
  }
  const all = [first];
  for (let t = 1; t < 8; t++) {
    const previous = all[t - 1] as Uint32Array; // safe: t ≥ 1
    all.push(previous.map((value) => ((first[value & 0xff] as number) ^ (value >>> 8)) >>> 0)); // safe: masked
  }
  return all;
}

function update32(tables: Uint32Array[], crc: number, data: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let c = crc >>> 0;
  let i = 0;
  // safe: every index below is masked to 8 bits, and i + 7 < data.length
  for (const end = data.length - 7; i < end; i += 8) {
    const low = c ^ (data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24));
    c =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[data[i + 4]!]! ^
      t2[data[i + 5]!]! ^
      t1[data[i + 6]!]! ^
      t0[data[i + 7]!]!;
  }
  for (; i < data.length; i++) c = t0[(c ^ data[i]!) & 0xff]! ^ (c >>> 8); // safe: masked
  return c >>> 0;
}

let castagnoli: Uint32Array[] | undefined;
let ieee: Uint32Array[] | undefined;

/** CRC-32C without inversion before or after; feed the result back in to go on. ext4 starts from ~0. */
export function crc32c(crc: number, data: Uint8Array): number {
  castagnoli ??= tables32(0x82f63b78);
  return update32(castagnoli, crc, data);
}

/** CRC-32 (IEEE) without inversion before or after; feed the result back in to go on. */
export function crc32Raw(crc: number, data: Uint8Array): number {
  ieee ??= tables32(0xedb88320);
  return update32(ieee, crc, data);
}

/** CRC-32 (IEEE) as GPT and zlib use it: inverted before and after. */
export function crc32(data: Uint8Array): number {
  return ~crc32Raw(0xffffffff, data) >>> 0;
}

let ansi: Uint16Array | undefined;

/** CRC-16 (polynomial 0x8005, reflected), without inversion. */
export function crc16(crc: number, data: Uint8Array): number {
  ansi ??= Uint16Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xa001 : c >>> 1;
    return c;
  });
  let c = crc & 0xffff;
  for (const byte of data) c = (ansi[(c ^ byte) & 0xff] as number) ^ (c >>> 8); // safe: masked to 8 bits
  return c;
}
