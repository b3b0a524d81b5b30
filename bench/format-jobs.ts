/** The jobs of `npm run bench -- formats`: other images, volumes and filesystems than qcow2 and ext4. */
import { fish, idleThread, type Job, readBig, tcg } from './job.js';

const walk = (image: string) => `$G find $I/${image}:/ -m /dev/sda --json`;

/** The first file of an image of formats.sh; `mount` is what libguestfs's own option of that name takes. */
const firstFile = (image: string, title: string, path: string, mount: string): Job => ({
  id: `first-file-${image}`,
  group: 'formats',
  title: `first file, ${title} in qcow2`,
  images: [`formats/${image}.qcow2`],
  ours: `$G cat $I/formats/${image}.qcow2:${path} -m ${mount}`,
  peers: {
    libguestfs: `${fish}qcow2 -a $I/formats/${image}.qcow2 -m ${mount} cat ${path}`,
    'Node and a thread': idleThread,
  },
  must: [{ peer: 'libguestfs', times: 1 / 60 }],
  aim: [{ peer: 'libguestfs', times: 1 / 90 }],
});

/** A walk over 100,000 files; the peers are those that read the filesystem. */
const walkMany = (kind: string, peers: Job['peers'], bounds: Pick<Job, 'must' | 'aim'>): Job => ({
  id: `walk-${kind.toLowerCase()}`,
  group: 'formats',
  title: `walk with stat, B on ${kind}`,
  images: [`formats/many-${kind.toLowerCase()}.raw`, 'many.raw'],
  ours: walk(`formats/many-${kind.toLowerCase()}.raw`),
  peers: { 'own ext4': walk('many.raw'), ...peers },
  ...bounds,
});
const besideExt4: Pick<Job, 'must' | 'aim'> = {
  must: [{ peer: 'own ext4', times: 1.3 }],
  aim: [{ peer: 'own ext4', times: 1 }],
};

const readBigOf = (name: string) => `$G cat $I/formats/${name}.raw:/big.bin -m /dev/sda`;

/** Reading C from a filesystem, beside our own reading of it from ext4 in qcow2. */
const readFrom = (kind: string, peers: Job['peers']): Job => ({
  id: `read-${kind.toLowerCase()}`,
  group: 'formats',
  title: `read 1 GiB, C on ${kind}`,
  images: [`formats/big-${kind.toLowerCase()}.raw`, 'big.qcow2'],
  ours: readBigOf(`big-${kind.toLowerCase()}`),
  peers: { 'own qcow2': readBig('big.qcow2'), ...peers },
  must: [{ peer: 'own qcow2', times: 1.2 }],
  // Where 7-Zip reads the filesystem, it is the measure; where it does not, what is a must is the aim.
  aim: [peers['7-Zip'] === undefined ? { peer: 'own qcow2', times: 1.2 } : { peer: '7-Zip', times: 1.3 }],
});

/**
 * Taking the whole tree out of squashfs: files of the host, as the peer makes them. They are made in memory, since the
 * filesystem of a disk takes longer to make 12,000 files than either program, and how long differs from run to run.
 */
const takeOut = (compressor: string): Job => {
  const image = `formats/squashfs-${compressor}.squashfs`;
  return {
    id: `squashfs-${compressor}`,
    group: 'formats',
    title: `the whole tree out of squashfs, ${compressor}`,
    images: [image],
    ours: `$G cp -r $I/${image}:/ $(mktemp -d $M/tree.XXXXXX)/out -m /dev/sda`,
    peers: { unsquashfs: `unsquashfs -quiet -no-progress -d $(mktemp -d $M/tree.XXXXXX)/out $I/${image}` },
    must: [{ peer: 'unsquashfs', times: 1.3 }],
    aim: [{ peer: 'unsquashfs', times: 1 }],
  };
};

export const formatJobs: Job[] = [
  firstFile('lvm-xfs', 'A on LVM and XFS', '/etc/os-release', '/dev/vg_xfs/root'),
  firstFile('btrfs', 'A on btrfs', '/etc/os-release', '/dev/sda:/:subvol=root'),
  firstFile('ntfs', 'B on NTFS', '/0/d0000/c4ca4-1.txt', '/dev/sda'),
  {
    id: 'inspect-rpm',
    group: 'formats',
    title: 'inspect with packages, a guest with 400 of rpm',
    images: ['formats/rpm.qcow2'],
    ours: '$G inspect $I/formats/rpm.qcow2 --json',
    peers: { libguestfs: `${tcg} virt-inspector --no-icon --format=qcow2 -a $I/formats/rpm.qcow2` },
    must: [{ peer: 'libguestfs', times: 1 / 80 }],
    aim: [{ peer: 'libguestfs', times: 1 / 130 }],
  },
  walkMany('XFS', {}, besideExt4),
  walkMany('btrfs', {}, besideExt4),
  walkMany(
    'NTFS',
    { TSK: 'fls -r -l $I/formats/many-ntfs.raw', '7-Zip': '7z l -slt $I/formats/many-ntfs.raw' },
    {
      must: [
        { peer: 'TSK', times: 1.5 },
        { peer: '7-Zip', times: 1.5 },
      ],
      aim: [
        { peer: 'TSK', times: 1 },
        { peer: '7-Zip', times: 1 },
      ],
    },
  ),
  readFrom('XFS', {}),
  readFrom('btrfs', {}),
  readFrom('NTFS', { '7-Zip': '7z e -so $I/formats/big-ntfs.raw big.bin' }),
  ...(['vpc', 'vhdx', 'vdi'] as const).map((format): Job => {
    const made = `$T/formats.${format}`;
    return {
      id: `read-${format}`,
      group: 'formats',
      title: `read 1 GiB, C ${format}`,
      images: ['big.raw', 'big.qcow2'],
      prepare: `qemu-img convert -f raw -O ${format} ${format === 'vpc' ? '-o force_size=on ' : ''}$I/big.raw ${made}`,
      ours: `$G cat ${made}:/big.bin -m /dev/sda`,
      peers: {
        'own qcow2': readBig('big.qcow2'),
        '7-Zip': `7z e -so ${made}`,
        'qemu-img': `qemu-img convert -f ${format} -O raw ${made} $T/out.raw`,
      },
      must: [{ peer: 'own qcow2', times: 1.2 }],
      aim: [{ peer: '7-Zip', times: 1.3 }],
    };
  }),
  {
    id: 'read-vmdk',
    group: 'formats',
    title: 'read 1 GiB, C VMDK',
    images: ['big.qcow2'],
    prepare: 'qemu-img convert -O vmdk $I/big.qcow2 $T/big.vmdk',
    ours: '$G cat $T/big.vmdk:/big.bin -m /dev/sda',
    peers: {
      'own qcow2': readBig('big.qcow2'),
      '7-Zip': '7z e -so $T/big.vmdk',
      'qemu-img': 'qemu-img convert -f vmdk -O raw $T/big.vmdk $T/out.raw',
    },
    must: [{ peer: 'own qcow2', times: 1.2 }],
    aim: [{ peer: '7-Zip', times: 1.3 }],
  },
  {
    id: 'read-vmdk-stream',
    group: 'formats',
    title: 'read 1 GiB, C VMDK, stream-optimized',
    images: ['big.qcow2'],
    prepare: 'qemu-img convert -O vmdk -o subformat=streamOptimized $I/big.qcow2 $T/stream.vmdk',
    ours: '$G cat $T/stream.vmdk:/big.bin -m /dev/sda',
    peers: {
      '7-Zip': '7z e -so $T/stream.vmdk',
      'qemu-img': 'qemu-img convert -f vmdk -O raw $T/stream.vmdk $T/out.raw',
    },
    must: [{ peer: 'qemu-img', times: 0.7 }],
    aim: [{ peer: 'qemu-img', times: 0.5 }],
  },
  {
    id: 'read-btrfs-zstd',
    group: 'formats',
    title: 'a file of 1 GiB out of btrfs, zstd',
    images: ['formats/big-btrfs-zstd.raw'],
    // btrfs restore makes a file of the host, and so do we
    ours: `${readBigOf('big-btrfs-zstd')} >$T/out.bin`,
    peers: {
      'btrfs restore': 'btrfs restore $I/formats/big-btrfs-zstd.raw $(mktemp -d $T/tree.XXXXXX)',
    },
    must: [{ peer: 'btrfs restore', times: 1 }],
    aim: [{ peer: 'btrfs restore', times: 0.6 }],
  },
  {
    id: 'read-ntfs-lznt1',
    group: 'formats',
    title: 'read 1 GiB, C on NTFS, LZNT1',
    images: ['formats/big-ntfs-lznt1.raw'],
    ours: readBigOf('big-ntfs-lznt1'),
    peers: { '7-Zip': '7z e -so $I/formats/big-ntfs-lznt1.raw big.bin' },
    must: [{ peer: '7-Zip', times: 1 }],
    aim: [{ peer: '7-Zip', times: 0.7 }],
  },
  takeOut('zstd'),
  takeOut('xz'),
];
