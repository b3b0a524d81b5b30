/** Superblocks written by hand from their specifications. */
export const uuidText = '00112233-4455-6677-8899-aabbccddeeff';
export const uuidBytes = Buffer.from(uuidText.replaceAll('-', ''), 'hex');
export const MiB = 2 ** 20;

export interface Invented {
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  write(image: Buffer): void;
  /** The answer by blkid's names, USAGE left out where it is `filesystem`. */
  readonly expected: Readonly<Record<string, string>> | undefined;
  /** Whether blkid 2.38 does not know this kind, or not its place. */
  readonly unlike?: boolean;
}

export function imageOf({ size, write }: Invented): Buffer {
  const image = Buffer.alloc(size);
  write(image);
  return image;
}
