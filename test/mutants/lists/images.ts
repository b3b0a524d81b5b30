/** Errors in the order in which images, tables of partitions and volume groups are written. */
import type { Hunt, Mutant } from '../mutant.js';

const qcow2: readonly Hunt[] = [['qcow2', 'writes']];
const sizes: readonly Hunt[] = [['qcow2', 'sizes']];
const allocator = { file: 'image/qcow2/write/allocator.ts', hunts: qcow2 } as const;
const refcounts = { file: 'image/qcow2/write/refcounts.ts', hunts: qcow2 } as const;
const resize = { file: 'image/qcow2/write/resize.ts', hunts: sizes } as const;
const partition: readonly Hunt[] = [['partition']];
const lvm2: readonly Hunt[] = [['lvm2']];

export const imageMutants: readonly Mutant[] = [
  {
    ...allocator,
    error: 'counts are written behind what refers to the clusters',
    original: '      const hasNewBlocks = counts.writeCounts();\n',
    planted: '      tables.write();\n      file.flush();\n      const hasNewBlocks = counts.writeCounts();\n',
  },
  {
    ...allocator,
    error: 'new blocks of counts are in no table before clusters are taken',
    original:
      '      if (hasNewBlocks) {\n        file.flush();\n        counts.writeTable();\n      }\n      data();\n      file.flush();\n' +
      '      // What refers to all that.\n      tables.write();\n      this.#freshTables.clear();\n      file.flush();\n',
    planted:
      '      data();\n      file.flush();\n      tables.write();\n      this.#freshTables.clear();\n      file.flush();\n' +
      '      if (hasNewBlocks) counts.writeTable();\n      file.flush();\n',
  },
  {
    ...allocator,
    error: 'tables to which nothing leads yet are written with what leads to them',
    original: 'tables.write((offset) => this.#freshTables.has(offset - (offset % this.#clusterSize)));',
    planted: '',
  },
  {
    ...allocator,
    error: 'counts are lowered before nothing refers to the clusters',
    original: '      const hasNewBlocks = counts.writeCounts();\n',
    planted: '      const hasNewBlocks = counts.writeCounts();\n      counts.settle();\n',
  },
  {
    ...refcounts,
    error: 'the header names a moved table of counts before that is written',
    original: '    this.#file.writeTable(bytes, this.#tableOffset + this.#changedFrom * entrySize);\n',
    planted:
      '    if (this.#moved) changeHeader(this.#file, { refcount_table_offset: this.#tableOffset, refcount_table_clusters: this.#tableClusters });\n' +
      '    this.#file.flush();\n' +
      '    this.#file.writeTable(bytes, this.#tableOffset + this.#changedFrom * entrySize);\n',
  },
  {
    ...resize,
    error: 'the header has a longer L1 table before that is written',
    original: '  image.writeTable(table, run.offset);\n  allocator.flush(() => {});\n',
    planted:
      '  changeHeader(image, { l1_size: l1Entries, l1_table_offset: run.offset });\n  image.flush();\n' +
      '  image.writeTable(table, run.offset);\n  allocator.flush(() => {});\n',
  },
  {
    error: 'both copies of a GPT are written in one step',
    file: 'partition/editing/gpt-editor.ts',
    hunts: partition,
    original:
      'this.#copy(backupLba, 1, backupArrayLba)],\n      [...cleared.start, ...this.#copy(1, backupLba, primaryArrayLba)],',
    planted:
      'this.#copy(backupLba, 1, backupArrayLba), ...cleared.start, ...this.#copy(1, backupLba, primaryArrayLba)],',
  },
  {
    error: 'the record that says GPT is written before there is one',
    file: 'partition/editing/gpt-editor.ts',
    hunts: partition,
    original: '    writeSteps(this.#disk, [\n',
    planted:
      '    writeSteps(this.#disk, [\n      this.#record === undefined ? [] : [{ offset: 0, bytes: this.#record.subarray(0, bootRecordSize) }],\n',
  },
  {
    error: 'the record of an MBR is written before the chain that it leads to',
    file: 'partition/editing/mbr-editor.ts',
    hunts: partition,
    original:
      'const steps = [fresh.map(at), ...old.map((record) => [at(record)]), [{ offset: 0, bytes: first }]];',
    planted:
      'const steps = [[{ offset: 0, bytes: first }], ...old.map((record) => [at(record)]), fresh.map(at)];',
  },
  {
    error: 'what was at the ends of a disk is cleared before the record of an MBR',
    file: 'partition/editing/mbr-editor.ts',
    hunts: partition,
    original: '[...steps, [...start, ...end]]',
    planted: '[[...start, ...end], ...steps]',
  },
  {
    error: 'the header of a metadata area names a text before that is written',
    file: 'volume/lvm2/write/areas.ts',
    hunts: lvm2,
    original:
      '  const laid = areas.map((area) => layText(area, readHeader(area), text));\n  flush(areas);\n  between();\n  for (const { area, header, offset } of laid) writeHeader(area, header, text, offset);\n',
    planted:
      '  for (const area of areas) {\n    const header = readHeader(area);\n    writeHeader(area, header, text, nextPlace(header, text.length));\n  }\n' +
      '  flush(areas);\n  between();\n  for (const area of areas) layText(area, readHeader(area), text);\n',
  },
  {
    error: 'two areas have texts of groups with two identifiers',
    file: 'volume/lvm2/write/areas.ts',
    hunts: lvm2,
    original: '  eraseText(others);\n',
    planted: '',
  },
  {
    error: 'a text lies over the one that is in use',
    file: 'volume/lvm2/write/areas.ts',
    hunts: lvm2,
    original: '  return mdaHeaderSize + ((end - mdaHeaderSize) % ring);\n}\n\nfunction layText',
    planted: '  return old.offset;\n}\n\nfunction layText',
  },
  {
    error: 'a label changes without a step between two areas',
    file: 'volume/lvm2/write/areas.ts',
    hunts: lvm2,
    original: '    changeLabel({ from: area, to: small.area });\n    disk.flush();\n',
    planted: '',
  },
  {
    error: 'the label of a new physical volume comes before its metadata area',
    file: 'volume/lvm2/write/label.ts',
    hunts: lvm2,
    original:
      '    disk.write(emptyArea(), areaStart);\n    disk.flush();\n    disk.write(label, labelSector * sectorSize);\n',
    planted:
      '    disk.write(label, labelSector * sectorSize);\n    disk.flush();\n    disk.write(emptyArea(), areaStart);\n',
  },
];
