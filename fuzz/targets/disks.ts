/** Images, partition tables and volumes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryDisk, SliceDisk } from '../../src/disk/index.js';
import { imageFormats, isReadable } from '../../src/image/index.js';
import {
  isBootable,
  listPartitions,
  otherSectorSize,
  partitionSchemes,
  readPartitionTable,
  tableFacts,
} from '../../src/partition/index.js';
import {
  assemble,
  canonicalLogicalVolumeName,
  listMapperDevices,
  reportLogicalVolumes,
  reportPhysicalVolumes,
  reportVolumeGroups,
  volumeGroupMetadata,
} from '../../src/volume/lvm2/index.js';
import { fixturesIn, readFixture } from '../../test/support/fixtures.js';
import { openImage, readImageSummary } from '../../test/support/host-images.js';
import {
  lvmFields,
  parallelsFields,
  partitionFields,
  qcow2Fields,
  qcowFields,
  qedFields,
  vdiFields,
  vhdFields,
  vhdxFields,
  vmdkFields,
} from '../fields.js';
import { part, type Target } from '../target.js';
import { diskOf } from '../trace.js';
import { readStart } from './contents.js';
import { foreignImages } from './seeds/images.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-fuzz-input-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

/** An input as a file of the host, for what takes only paths. */
export function fileOf(bytes: Uint8Array): string {
  const path = join(directory, 'input');
  writeFileSync(path, bytes);
  return path;
}

/** An image format whose images can be opened. What an image names is a small file of zeroes. */
function imageTarget(
  formatName: string,
  { fixtures, fields }: { fixtures: readonly string[]; fields?: NonNullable<Target['fields']> },
): Target {
  return {
    name: `image/${formatName}`,
    fixtures,
    ...(fields === undefined ? {} : { fields }),
    run(bytes) {
      const file = diskOf(bytes);
      for (const { probe } of imageFormats) probe(file);
      const format = imageFormats.find(({ name }) => name === formatName);
      if (format === undefined || !isReadable(format)) throw new Error(`there is no format ${formatName}`);
      const context = { openNamed: () => new MemoryDisk(new Uint8Array(64 * 1024)), warn() {} };
      part(() => format.info(file));
      const snapshots = part(() => [...(format.snapshots?.(file) ?? [])]);
      for (const { name, id } of snapshots?.slice(0, 4) ?? [])
        part(() => readStart(format.open(diskOf(bytes), { ...context, snapshot: id === '' ? name : id })));
      readStart(format.open(file, context));
    },
  };
}

const qcow2 = imageTarget('qcow2', { fixtures: fixturesIn('qcow2', /\.qcow2\.gz$/), fields: qcow2Fields });

const vhd = imageTarget('vpc', { fixtures: fixturesIn('vhd', /\.vhd\.gz$/), fields: vhdFields });

const vhdx = imageTarget('vhdx', { fixtures: fixturesIn('vhdx', /\.vhdx\.gz$/), fields: vhdxFields });

const vdi = imageTarget('vdi', { fixtures: fixturesIn('vdi', /\.vdi\.gz$/), fields: vdiFields });
const qed = imageTarget('qed', { fixtures: fixturesIn('qed', /\.qed\.gz$/), fields: qedFields });
const qcow = imageTarget('qcow', { fixtures: fixturesIn('qcow', /\.qcow\.gz$/), fields: qcowFields });
const parallels = imageTarget('parallels', {
  fixtures: fixturesIn('parallels', /\.hds\.gz$/),
  fields: parallelsFields,
});

const vmdk = imageTarget('vmdk', {
  fixtures: fixturesIn('vmdk', /^(?!.*-(s|s001|f001|flat|delta|sesparse)\.).*\.vmdk\.gz$/),
  fields: vmdkFields,
});

/** A VMDK's extents of the kinds that no image is alone. */
const vmdkExtent: Target = {
  name: 'image/vmdk-extent',
  fixtures: fixturesIn('vmdk', /-(s|s001|delta|sesparse)\.vmdk\.gz$/),
  fields: vmdkFields,
  run(bytes, fixture) {
    const format = imageFormats.find(({ name }) => name === 'vmdk');
    if (format === undefined || !isReadable(format)) throw new Error('there is no format vmdk');
    const type = fixture.includes('-sesparse') ? 'SESPARSE' : 'SPARSE';
    const text = `# Disk DescriptorFile\nCID=1\nRW 3000 ${type} "extent"\nRW 64 ZERO\nRW 3000 ${type} "extent"\n`;
    const context = { openNamed: () => diskOf(bytes), warn() {} };
    readStart(format.open(new MemoryDisk(Buffer.from(text)), context));
  },
};

/** What images are shipped in, as files of the host, which are unpacked. */
const container: Target = {
  name: 'image/container',
  fixtures: fixturesIn('containers', /\.(ova|tar|gz|xz|zst)\.gz$/),
  run(bytes) {
    const unpack = { directory, tell() {}, progress() {} };
    const { disk } = openImage(fileOf(bytes), { unpack });
    try {
      readStart(disk);
    } finally {
      disk.close();
    }
  },
};

const summary: Target = {
  name: 'image/summary',
  fixtures: [...foreignImages.keys()],
  load: (fixture) => foreignImages.get(fixture)?.() ?? new Uint8Array(0),
  run(bytes) {
    const disk = diskOf(bytes);
    for (const { probe } of imageFormats) probe(disk);
    readImageSummary(fileOf(bytes));
  },
};

/** Disks with a table of each scheme. */
const labelled = /^(gpt|mbr|aix|amiga|atari|bsd|dvh|mac|pc98|slices|solaris|sun)\.img\.gz$/;

const partitions: Target = {
  name: 'partition',
  fixtures: [...fixturesIn('partition', /\.img\.gz$/), ...fixturesIn('scenarios', labelled)],
  fields: partitionFields,
  run(bytes) {
    for (const sectorSize of [512, 4096] as const) {
      part(() => {
        const disk = diskOf(bytes);
        // `probe` never throws: what comes out of it is a finding.
        for (const scheme of partitionSchemes) {
          try {
            scheme.probe(disk, sectorSize);
          } catch (cause) {
            throw new Error(`${scheme.name}: the probe threw: ${(cause as Error).message}`, { cause });
          }
        }
        part(() => otherSectorSize(disk, sectorSize));
        const table = readPartitionTable(disk, sectorSize);
        if (table === undefined) return;
        listPartitions(table);
        tableFacts(table);
        for (const partition of table.partitions) {
          isBootable(partition);
          const { startInBytes, deviceSizeInBytes } = partition;
          part(() => new SliceDisk(disk, startInBytes, deviceSizeInBytes).span(0, 1));
        }
      });
    }
  },
};

/** The other disks of a group, by the name of one of them. */
const companions: Readonly<Record<string, readonly string[]>> = {
  'one-a': ['one-b', 'one-c'],
  'kinds-a': ['kinds-b'],
  'twin-a': ['twin-b'],
  'wrap-a': ['wrap-b', 'wrap-b-stale'],
};
const loaded = new Map<string, Uint8Array>();

function companionsOf(fixture: string): readonly Uint8Array[] {
  const names = companions[/lvm.([a-z0-9-]+)\.img/.exec(fixture)?.[1] ?? ''] ?? [];
  return names.map((name) => {
    const bytes = loaded.get(name) ?? readFixture(join('lvm', `${name}.img.gz`));
    loaded.set(name, bytes);
    return bytes;
  });
}

const lvm: Target = {
  name: 'volume/lvm2',
  hasText: true,
  fixtures: fixturesIn('lvm', /\.img\.gz$/),
  fields: lvmFields,
  run(bytes, fixture) {
    const disks = [diskOf(bytes), ...companionsOf(fixture).map((other) => new MemoryDisk(other))];
    const state = assemble(disks.map((disk, i) => ({ device: `/dev/sd${'abcd'.charAt(i)}`, disk })));
    part(() => reportPhysicalVolumes(state));
    part(() => reportVolumeGroups(state));
    part(() => reportLogicalVolumes(state));
    part(() => listMapperDevices(state));
    for (const { name } of state.volumeGroups) part(() => volumeGroupMetadata(state, name));
    for (const volume of state.logicalVolumes) {
      part(() => canonicalLogicalVolumeName(state, volume.device));
      part(() => readStart(volume.open(), 16 * 1024));
    }
  },
};

export const diskTargets: readonly Target[] = [
  qcow2,
  qcow,
  qed,
  vhd,
  vhdx,
  vmdk,
  vmdkExtent,
  vdi,
  parallels,
  container,
  summary,
  partitions,
  lvm,
];
