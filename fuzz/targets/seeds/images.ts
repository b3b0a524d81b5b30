/** Headers of images that are only recognised, as their specifications lay them out. */
type Put = (view: DataView, text: (at: number, value: string) => void) => void;

function image(length: number, put: Put): () => Uint8Array {
  return () => {
    const bytes = new Uint8Array(length);
    put(new DataView(bytes.buffer), (at, value) => bytes.set(Buffer.from(value, 'latin1'), at));
    return bytes;
  };
}

export const foreignImages: ReadonlyMap<string, () => Uint8Array> = new Map([
  [
    'vmdk',
    image(4096, (view, text) => {
      text(0, 'KDMV');
      view.setUint32(4, 1, true);
      view.setBigUint64(12, 2048n, true);
      view.setBigUint64(20, 128n, true);
      view.setBigUint64(28, 1n, true);
      view.setBigUint64(36, 4n, true);
      text(512, '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\nRW 2048 SPARSE "x.vmdk"\n');
    }),
  ],
  [
    'vmdk-text',
    image(2048, (_view, text) => {
      text(0, '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=00000001\nparentFileNameHint="b"\n');
      text(128, 'createType="monolithicFlat"\nRW 2048 FLAT "x-flat.vmdk" 0\nRW 4096 FLAT "y" 0\n');
    }),
  ],
  [
    'vmdk-cowd',
    image(2048, (view, text) => {
      text(0, 'COWD');
      view.setUint32(4, 1, true);
      view.setUint32(12, 2048, true);
    }),
  ],
  [
    'luks',
    image(2048, (view, text) => {
      text(0, 'LUKS\xba\xbe\0\x01aes');
      view.setUint32(104, 2);
    }),
  ],
  ['dmg', image(1024, (_view, text) => text(512, 'koly\0\0\0\x04\0\0\x02\0'))],
  ['bochs', image(1024, (_view, text) => text(0, 'Bochs Virtual HD Image\0'))],
]);
