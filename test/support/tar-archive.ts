/** Tar archives of given members, for tests that read them. */
import { type TarEntry, TarHeaderWriter, tarEnd, tarPadding } from '../../src/formats/index.js';

/** One member of an archive. */
export interface ArchiveMember extends Partial<Omit<TarEntry, 'records'>> {
  readonly name: string;
  /** The contents. */
  readonly text?: string | Uint8Array;
  readonly records?: Readonly<Record<string, string | Uint8Array>>;
}

/** An archive of members, with pax headers where they have records. */
export function archive(...members: readonly ArchiveMember[]): Buffer {
  const parts: Uint8Array[] = [];
  let position = 0;
  const out = {
    write(bytes: Uint8Array) {
      parts.push(bytes.slice());
      position += bytes.length;
    },
  };
  for (const { text = '', records = {}, ...member } of members) {
    const contents = Buffer.from(text);
    const entries = Object.entries(records).map(
      ([key, value]) => [key, typeof value === 'string' ? Buffer.from(value) : value] as const,
    );
    new TarHeaderWriter(out as never, entries.length > 0).write({
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      sizeInBytes: contents.length,
      modifiedSeconds: 1_000_000,
      linkName: '',
      userName: '',
      groupName: '',
      deviceMajor: 0,
      deviceMinor: 0,
      ...member,
      records: new Map(entries),
    });
    out.write(contents);
    out.write(new Uint8Array(tarPadding(contents.length)));
  }
  out.write(new Uint8Array(tarEnd(position)));
  return Buffer.concat(parts);
}
