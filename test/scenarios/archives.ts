/**
 * Readers of tar and cpio for comparing archives, whose entries may come in any order. They share nothing with
 * src/formats: an error that a reader and a writer there had in common would not show.
 */

export interface ArchiveEntry {
  readonly name: string;
  readonly [fact: string]: unknown;
}

const byName = (a: ArchiveEntry, b: ArchiveEntry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const cString = (bytes: Buffer): string => {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString('latin1');
};

function octal(bytes: Buffer): number {
  if (((bytes[0] ?? 0) & 0x80) === 0) return Number.parseInt(cString(bytes).trim() || '0', 8);
  return Number(BigInt.asIntN(bytes.length * 8 - 1, BigInt(`0x${bytes.toString('hex')}`)));
}

function paxRecords(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(bytes.subarray(at, at + 12).toString('latin1'), 10);
    const record = bytes.subarray(at, at + length - 1).toString('latin1');
    const start = record.indexOf(' ') + 1;
    const equals = record.indexOf('=', start);
    records[record.slice(start, equals)] = record.slice(equals + 1);
    at += length;
  }
  return records;
}

/**
 * The entries of a tar archive, by name. A hard link and its file may change places: both have the group's first
 * name.
 */
export function readTar(bytes: Buffer): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  let longName: string | undefined;
  let longLink: string | undefined;
  let pax: Record<string, string> = {};
  for (let at = 0; at + 512 <= bytes.length; ) {
    const header = bytes.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break;
    const field = (start: number, length: number): Buffer => header.subarray(start, start + length);
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    if (sum !== octal(field(148, 8))) throw new Error(`the header at ${at} has a wrong checksum`);
    const size = octal(field(124, 12));
    const content = bytes.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'L') longName = cString(content);
    else if (type === 'K') longLink = cString(content);
    else if (type === 'x') pax = paxRecords(content);
    else {
      const xattrs = Object.fromEntries(
        Object.entries(pax)
          .filter(([key]) => /^(?:SCHILY\.xattr|SCHILY\.acl|RHT)/.test(key))
          .sort(),
      );
      entries.push({
        name: pax.path ?? longName ?? cString(field(0, 100)),
        type,
        mode: octal(field(100, 8)),
        uid: octal(field(108, 8)),
        gid: octal(field(116, 8)),
        modified: octal(field(136, 12)),
        link: pax.linkpath ?? longLink ?? cString(field(157, 100)),
        user: cString(field(265, 32)),
        group: cString(field(297, 32)),
        device: type === '3' || type === '4' ? [octal(field(329, 8)), octal(field(337, 8))] : [],
        content: content.toString('base64'),
        xattrs,
      });
      longName = undefined;
      longLink = undefined;
      pax = {};
    }
  }
  return entries.sort(byName);
}

/** The entries of a cpio archive of the newc or crc format, by name, without inode and device numbers. */
export function readCpio(bytes: Buffer): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  for (let at = 0; ; ) {
    const magic = bytes.subarray(at, at + 6).toString('latin1');
    if (magic !== '070701' && magic !== '070702') throw new Error(`no header at ${at}`);
    const numbers = Array.from({ length: 13 }, (_, i) =>
      Number.parseInt(bytes.subarray(at + 6 + i * 8, at + 14 + i * 8).toString('latin1'), 16),
    );
    const [, mode = 0, uid, gid, links, modified, size = 0, , , major, minor, nameLength = 0, check] =
      numbers;
    const name = bytes.subarray(at + 110, at + 110 + nameLength - 1).toString('latin1');
    const data = Math.ceil((at + 110 + nameLength) / 4) * 4;
    if (name === 'TRAILER!!!') return entries.sort(byName);
    const isDevice = (mode & 0o170000) === 0o020000 || (mode & 0o170000) === 0o060000;
    entries.push({
      name,
      magic,
      mode,
      uid,
      gid,
      links,
      modified,
      device: isDevice ? [major, minor] : [],
      check,
      content: bytes.subarray(data, data + size).toString('base64'),
    });
    at = Math.ceil((data + size) / 4) * 4;
  }
}
