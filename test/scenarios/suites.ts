/** All scenarios, by the drives that they share. */
import { attributeScenarios } from './reading/attributes.js';
import { contentsScenarios } from './reading/contents.js';
import { deletedScenarios } from './reading/deleted.js';
import { deviceScenarios } from './reading/devices.js';
import { fileScenarios } from './reading/file.js';
import { grepScenarios } from './reading/grep.js';
import { encryptedScenarios, phoneScenarios, rpmScenarios } from './reading/guests.js';
import { inspectionScenarios } from './reading/inspection.js';
import { labelledDrives, labelScenarios } from './reading/labels.js';
import { listingScenarios } from './reading/listing.js';
import { lvmScenarios } from './reading/lvm.js';
import { stackScenarios } from './reading/lvm-stack.js';
import { mountScenarios } from './reading/mounts.js';
import { damageScenarios, oddScenarios } from './reading/odd.js';
import { partitionScenarios } from './reading/partitions.js';
import { sessionScenarios } from './reading/session.js';
import { transferScenarios } from './reading/transfer.js';
import type { Suite } from './scenario.js';
import { attributeWritingScenarios } from './writing/attributes.js';
import { blockWritingScenarios } from './writing/blocks.js';
import { configurationScenarios } from './writing/configuration.js';
import { deviceWritingScenarios } from './writing/devices.js';
import { fileWritingScenarios } from './writing/files.js';
import { filesystemWritingScenarios } from './writing/filesystems.js';
import { lvmWritingScenarios } from './writing/lvm.js';
import { partitionWritingScenarios } from './writing/partitions.js';
import { programScenarios } from './writing/programs.js';
import { tableScenarios } from './writing/tables.js';
import { transferWritingScenarios } from './writing/transfer.js';
import { volumeWritingScenarios } from './writing/volumes.js';

const raw = (fixture: string, label?: string) =>
  ({ fixture: `scenarios/${fixture}.gz`, format: 'raw', ...(label === undefined ? {} : { label }) }) as const;

const blankDrive = (mebibytes: number) =>
  ({ blankSizeInBytes: mebibytes * 1024 * 1024, format: 'raw' }) as const;
const blanks = (...mebibytes: readonly number[]) => mebibytes.map(blankDrive);

export const suites: readonly Suite[] = [
  {
    name: 'drives',
    drives: [
      raw('ext4.img'),
      raw('gpt.img'),
      raw('mbr.img', 'boot'),
      raw('disc.iso'),
      raw('lvm1.img'),
      raw('lvm2.img', 'second'),
      { blankSizeInBytes: 1024 * 1024, format: 'raw', label: 'blank' },
    ],
    scenarios: [
      ...deviceScenarios,
      ...partitionScenarios,
      ...mountScenarios,
      ...attributeScenarios,
      ...contentsScenarios,
      ...grepScenarios,
      ...fileScenarios,
      ...listingScenarios,
      ...transferScenarios,
      ...lvmScenarios,
      ...sessionScenarios,
    ],
  },
  {
    name: 'labels',
    drives: [...labelledDrives, 'half.img'].map((fixture) => raw(fixture)),
    scenarios: labelScenarios,
  },
  {
    name: 'odd',
    drives: [
      { fixture: 'damaged/ext4.img.gz', format: 'raw' },
      raw('over-xfs.img'),
      raw('over-ext.img'),
      raw('bridge.iso'),
      raw('two-names.img'),
    ],
    scenarios: [...damageScenarios, ...oddScenarios],
  },
  { name: 'stack', drives: [raw('lvm-stack.img')], scenarios: stackScenarios },
  { name: 'deleted', drives: [raw('deleted.img')], scenarios: deletedScenarios },
  { name: 'debian', drives: [{ sample: 'debian.qcow2', format: 'qcow2' }], scenarios: inspectionScenarios },
  { name: 'phone', drives: [raw('phone.img')], scenarios: phoneScenarios },
  { name: 'rpm', drives: [raw('rpm.img')], scenarios: rpmScenarios },
  { name: 'encrypted', drives: [raw('luks.img')], scenarios: encryptedScenarios },
  {
    name: 'devices',
    writes: true,
    embedded: true,
    drives: [...blanks(64, 16, 16), { ...blankDrive(16), blocksize: 4096 }],
    scenarios: deviceWritingScenarios,
  },
  {
    name: 'tables',
    writes: true,
    embedded: true,
    drives: [
      { blankSizeInBytes: 64 * 1024 * 1024, format: 'raw' },
      raw('mbr.img'),
      { blankSizeInBytes: 64 * 1024 * 1024, format: 'raw' },
      { blankSizeInBytes: 64 * 1024 * 1024, format: 'raw' },
      raw('gpt.img'),
    ],
    scenarios: tableScenarios,
  },
  {
    name: 'volumes',
    writes: true,
    embedded: true,
    drives: [...blanks(64, 64, 16), { ...blankDrive(64), blocksize: 4096 }, blankDrive(1)],
    scenarios: lvmWritingScenarios,
  },
  {
    name: 'scratch',
    writes: true,
    drives: blanks(64, 320, 64, 64, 16),
    scenarios: [
      ...fileWritingScenarios,
      ...attributeWritingScenarios,
      ...transferWritingScenarios,
      ...partitionWritingScenarios,
      ...volumeWritingScenarios,
      ...blockWritingScenarios,
      ...filesystemWritingScenarios,
      ...configurationScenarios,
      ...programScenarios,
    ],
  },
];
