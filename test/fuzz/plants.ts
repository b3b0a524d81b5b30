/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are source */
/** Errors that are put into the parsers to see whether the fuzzer finds them: one replaced piece of source each. */

export interface Plant {
  /** What is wrong with the planted source. */
  readonly error: string;
  /** The file below src/ and the exact text in it that is replaced. */
  readonly file: string;
  readonly original: string;
  readonly planted: string;
  /** Where it is to be found. */
  readonly target: string;
  readonly fixtures: readonly string[];
  /** What is said of the round. */
  readonly finding: RegExp;
}

export const plants: readonly Plant[] = [
  {
    error: 'an entry without a length is stepped over for ever',
    file: 'fs/ext/directory/entries.ts',
    original: 'if (length < 12 || (length & 3) !== 0)',
    planted: 'if (false)',
    target: 'fs/ext',
    fixtures: ['ext/ext2-1k.img.gz'],
    finding: /did not end/,
  },
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/ext/journal/replay.ts',
    original: "throw new CorruptError(what, 'writes outside the filesystem'",
    planted: "throw new TypeError('writes outside the filesystem'",
    target: 'fs/ext-journal',
    fixtures: ['ext/journal-checksum-3.img.gz'],
    finding: /TypeError: writes outside/,
  },
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/fat/table.ts',
    original: "throw new CorruptError(\n        'FAT table',\n        value === 0",
    planted: 'throw new RangeError(\n        value === 0',
    target: 'fs/fat',
    fixtures: ['fat/fat12.img.gz'],
    finding: /RangeError: .*\n(.*\n)*.*table\.ts/,
  },
  {
    error: 'an entry without a length is passed over for ever',
    file: 'fs/iso9660/susp.ts',
    original: 'if (length < useEntryHead || at + length > area.length) {',
    planted: 'if (at + length > area.length) {',
    target: 'fs/iso9660',
    fixtures: ['iso/rock.iso.gz'],
    finding: /./,
  },
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/qcow2/clusters.ts',
    original: "throw new CorruptError('qcow2 L1 table', 'has an entry that is not aligned",
    planted: "throw new TypeError('has an L1 entry that is not aligned",
    target: 'image/qcow2',
    fixtures: ['qcow2/v3.qcow2.gz'],
    finding: /TypeError: has an L1 entry/,
  },
  {
    error: 'an error of the wrong kind is thrown',
    file: 'partition/gpt.ts',
    original: "throw new CorruptError(name, 'has bad limits'",
    planted: "throw new TypeError(name + ' has bad limits'",
    target: 'partition',
    fixtures: ['partition/gpt-names.img.gz'],
    finding: /TypeError: .* has bad limits/,
  },
  {
    error: 'an error of no kind is thrown',
    file: 'volume/lvm2/config.ts',
    original: "throw this.#fail('has braces that do not match');",
    planted: "throw 'braces do not match';",
    target: 'volume/lvm2',
    fixtures: ['lvm/one-a.img.gz'],
    finding: /^braces do not match$/,
  },
  {
    error: 'a probe reads past the end',
    file: 'base/byte-source.ts',
    original: 'if (!(offset >= 0 && offset + length <= source.size)) return undefined;',
    planted: 'if (!(offset >= 0)) return undefined;',
    target: 'fs/signatures',
    fixtures: ['exfat'],
    finding: /exfat: the probe threw/,
  },
  {
    error: 'an error of the wrong kind is thrown',
    file: 'base/lzma.ts',
    original: 'if (distance > this.#length - this.#start) throw corrupt(',
    planted: 'if (distance > this.#length - this.#start) throw new RangeError(',
    target: 'base/lzma',
    fixtures: ['xz/blocks.xz'],
    finding: /RangeError: a distance/,
  },
  {
    error: "a library's error comes through",
    file: 'vfs/unpack.ts',
    original: "throw new CorruptError('gzip file', (cause as Error).message, {}, { cause });",
    planted: 'throw cause;',
    target: 'vfs/unpack',
    fixtures: ['cpio.gz'],
    finding: /Z_DATA_ERROR|Error: /,
  },
  {
    error: 'a header is taken to be whole',
    file: 'engine/words/identify/elf.ts',
    original: ' || subject.head.length < 52) return undefined;',
    planted: ') return undefined;',
    target: 'engine/identify',
    fixtures: ['elf-64'],
    finding: /RangeError: .*\n(.*\n)*.*elf\.ts/,
  },
  {
    error: 'alternatives double without a bound',
    file: 'vfs/glob.ts',
    original: 'if (done.length + pending.length > alternativeLimit) {',
    planted: 'if (done.length < 0) {',
    target: 'vfs/glob',
    fixtures: ['2'],
    finding: /./,
  },
  {
    error: 'a record without a length is passed over for ever',
    file: 'appliance/library/tar-reader.ts',
    original:
      'if (at + length > bytes.length || blank + 1 >= at + length || equals < 0 || record.at(-1) !== 0x0a)',
    planted: 'if (length > 0 && (at + length > bytes.length || blank + 1 >= at + length || equals < 0))',
    target: 'appliance/tar',
    fixtures: ['pax'],
    finding: /did not end/,
  },
  {
    error: 'more is read than there is',
    file: 'appliance/wire/xdr.ts',
    original: 'if (count > this.left) throw new ProtocolError(`${this.left} bytes where ${count} belong`);',
    planted: '',
    target: 'appliance/xdr',
    fixtures: ['part_list'],
    finding: /RangeError/,
  },
  {
    error: 'a field is taken to be there',
    file: 'formats/guests/dpkg.ts',
    original: "fields.get('Source')?.split(' ', 1)[0] ?? ''",
    planted: "fields.get('Source')!.split(' ', 1)[0] ?? ''",
    target: 'inspect',
    fixtures: ['packages: dpkg'],
    finding: /TypeError: .*\n(.*\n)*.*dpkg\.ts/,
  },
  {
    error: 'lines are added in time that grows with their square',
    file: 'formats/guests/dpkg.ts',
    original: 'if (this.#inDescription) this.#description.push(line.slice(1));',
    planted: 'if (this.#inDescription) this.#description = [...this.#description, line.slice(1)];',
    target: 'inspect',
    fixtures: ['packages: dpkg'],
    finding: /ms of processor time|did not end/,
  },
  {
    error: 'memory is taken by a length from the disk',
    file: 'fs/iso9660/susp.ts',
    original: 'if (next.offset + next.length > blockSize || position + next.length > disk.size) break;',
    planted: '',
    target: 'fs/iso9660',
    fixtures: ['iso/rock.iso.gz'],
    finding: /MiB of memory/,
  },
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/ext/inode.ts',
    original: "throw new CorruptError(inodeName(number), 'the extra size is invalid'",
    planted: "throw new TypeError('the extra size is invalid'",
    target: 'session',
    fixtures: ['guests/debian.img.gz'],
    finding: /TypeError: the extra size/,
  },
];
