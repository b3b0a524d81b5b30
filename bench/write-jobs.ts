/** The jobs of `npm run bench -- write`: images that are changed and made. */
import type { Job } from './job.js';

export const writeJobs: Job[] = [
  {
    id: 'write-qcow2',
    group: 'write',
    title: 'write 1 GiB into a growing qcow2',
    images: ['big.raw'],
    // A copy of the source, as both drives are opened for writing. The other file grows from nothing each time, as the
    // peer's does, to which `-t writeback` gives the page cache. Both make it durable at the end.
    prepare:
      'cp --sparse=always $I/big.raw $T/source.raw && ' +
      '$G create -q $T/empty.qcow2 "$(stat -c %s $T/source.raw)"',
    ours:
      'cp $T/empty.qcow2 $T/grown.qcow2 && ' +
      '$G call --rw -a $T/source.raw $T/grown.qcow2 copy-device-to-device /dev/sdb /dev/sda sparse:true',
    peers: { 'qemu-img': 'qemu-img convert -t writeback -f raw -O qcow2 $T/source.raw $T/converted.qcow2' },
    must: [{ peer: 'qemu-img', times: 1.2, clock: 'processorSeconds' }],
    aim: [{ peer: 'qemu-img', times: 1, clock: 'processorSeconds' }],
  },
  {
    id: 'write-make-fs',
    group: 'write',
    title: 'tar of A → ext4 image',
    images: ['rootfs.tar'],
    prepare: 'mkdir $T/rootfs && tar -xf $I/rootfs.tar -C $T/rootfs',
    ours: '$G make-fs -q --force $I/rootfs.tar -o $T/made.img',
    // Of the unpacked tree: what unpacking takes is not counted. The size is what it needs.
    peers: {
      mke2fs: 'rm -f $T/made-by-mke2fs.img && mke2fs -q -t ext4 -d $T/rootfs $T/made-by-mke2fs.img 512M',
    },
    must: [{ peer: 'mke2fs', times: 1, clock: 'processorSeconds' }],
    aim: [{ peer: 'mke2fs', times: 0.7, clock: 'processorSeconds' }],
  },
  {
    id: 'write-upload',
    group: 'write',
    title: 'upload 1 GiB into ext4',
    images: ['big.raw'],
    prepare: '$G cat $I/big.raw:/big.bin -m /dev/sda >$T/big.bin && mke2fs -q -t ext4 $T/empty.img 1500M',
    ours:
      'cp --sparse=always $T/empty.img $T/ours.img && ' +
      '$G call --rw -m /dev/sda:/ $T/ours.img upload $T/big.bin /big.bin',
    peers: {
      debugfs:
        'cp --sparse=always $T/empty.img $T/theirs.img && ' +
        'debugfs -w -R "write $T/big.bin big.bin" $T/theirs.img',
      cp: 'cp $T/big.bin $T/copy.bin',
    },
    must: [{ peer: 'debugfs', times: 0.4, clock: 'processorSeconds' }],
    aim: [{ peer: 'cp', times: 1.5, clock: 'processorSeconds' }],
  },
];

/**
 * Bounds in absolute numbers, of write-library.ts. Rates and times are those of the processors, of all threads of the
 * program.
 */
export const writeLibraryJobs = [
  {
    id: 'smallWrites',
    title: 'write of 100 bytes into a new file',
    unit: 'a second of the processor',
    must: 3000,
    aim: 10_000,
    most: false,
  },
  {
    id: 'smallMkdirs',
    title: 'mkdir',
    unit: 'a second of the processor',
    must: 3000,
    aim: 10_000,
    most: false,
  },
  {
    id: 'smallChmods',
    title: 'chmod',
    unit: 'a second of the processor',
    must: 3000,
    aim: 10_000,
    most: false,
  },
  {
    id: 'manyFiles',
    title: '100,000 files into one directory, indexed',
    unit: 's of the processor',
    must: 4,
    aim: 2,
    most: true,
  },
  {
    id: 'memoryOfWriting',
    title: 'memory of the program that did these',
    unit: 'MiB',
    must: 200,
    aim: 120,
    most: true,
  },
  {
    id: 'barriers',
    title: 'one sync after small changes',
    unit: 'barriers',
    must: 3,
    aim: 2,
    most: true,
  },
  {
    id: 'makeFsWrites',
    title: 'writes of the host for tar of A → ext4 image',
    unit: 'writes',
    must: 3000,
    aim: 1000,
    most: true,
  },
] as const;
