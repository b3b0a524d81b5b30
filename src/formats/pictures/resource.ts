/** A bitmap among the resources of a program of Windows. */
import { viewOf } from '../../base/index.js';
import {
  DOS_MAGIC,
  dataDirectory,
  dosHeader,
  isSubdirectory,
  offsetInResources,
  optionalHeaderAt,
  PE_SIGNATURE,
  peHeader,
  RT_BITMAP,
  resourceData,
  resourceDirectory,
  resourceDirectoryAt,
  resourceEntry,
  sectionHeader,
} from './layout.js';

/** More than any program has. */
const mostSections = 96;

interface Section {
  readonly VirtualAddress: number;
  readonly SizeOfRawData: number;
  readonly PointerToRawData: number;
}

/** The bitmap with a number, without the header of a file; undefined if the program has none. */
export function bitmapResource(program: Uint8Array, number: number): Uint8Array | undefined {
  const sections = sectionsOf(program);
  if (sections === undefined) return undefined;
  const { list, resources } = sections;
  // The levels are type, number and language. Of several languages, the first is taken.
  const tree = partAt(program, list, resources.VirtualAddress, resources.Size);
  let at = 0;
  for (const wanted of [RT_BITMAP, number, undefined]) {
    const offset = tree && entryOf(tree, at, wanted);
    if (offset === undefined || isSubdirectory(offset) !== (wanted !== undefined)) return undefined;
    at = offsetInResources(offset);
  }
  if (tree === undefined || at + resourceData.size > tree.length) return undefined;
  const { OffsetToData, Size } = resourceData.decode(tree, at);
  return partAt(program, list, OffsetToData, Size);
}

function sectionsOf(
  program: Uint8Array,
): { list: Section[]; resources: { VirtualAddress: number; Size: number } } | undefined {
  if (program.length < dosHeader.size) return undefined;
  const { e_magic, e_lfanew } = dosHeader.decode(program);
  if (e_magic !== DOS_MAGIC || e_lfanew + peHeader.size > program.length) return undefined;
  const { signature, NumberOfSections, SizeOfOptionalHeader, Magic } = peHeader.decode(program, e_lfanew);
  const directoryAt = resourceDirectoryAt.get(Magic);
  if (signature !== PE_SIGNATURE || directoryAt === undefined || NumberOfSections > mostSections)
    return undefined;
  const optionalAt = e_lfanew + optionalHeaderAt;
  const first = optionalAt + SizeOfOptionalHeader;
  if (directoryAt + dataDirectory.size > SizeOfOptionalHeader) return undefined;
  if (first + NumberOfSections * sectionHeader.size > program.length) return undefined;
  return {
    resources: dataDirectory.decode(program, optionalAt + directoryAt),
    list: Array.from({ length: NumberOfSections }, (_, i) =>
      sectionHeader.decode(program, first + i * sectionHeader.size),
    ),
  };
}

/** The bytes at an address of the loaded program, as far as a section has them in the file. */
function partAt(
  program: Uint8Array,
  sections: readonly Section[],
  address: number,
  length: number,
): Uint8Array | undefined {
  for (const { VirtualAddress, SizeOfRawData, PointerToRawData } of sections) {
    const start = address - VirtualAddress;
    if (start < 0 || start >= SizeOfRawData) continue;
    const end = Math.min(PointerToRawData + start + length, PointerToRawData + SizeOfRawData);
    return program.subarray(PointerToRawData + start, end);
  }
  return undefined;
}

/** The offset that the entry of a directory has; without an identifier, that of the first entry. */
function entryOf(tree: Uint8Array, at: number, id: number | undefined): number | undefined {
  if (at + resourceDirectory.size > tree.length) return undefined;
  const { NumberOfNamedEntries, NumberOfIdEntries } = resourceDirectory.decode(tree, at);
  const first = at + resourceDirectory.size;
  const view = viewOf(tree);
  // Entries with names come first, and their identifiers are no numbers.
  const skipped = id === undefined ? 0 : NumberOfNamedEntries;
  for (let i = skipped; i < NumberOfNamedEntries + NumberOfIdEntries; i++) {
    const entry = first + i * resourceEntry.size;
    if (entry + resourceEntry.size > tree.length) return undefined;
    if (id === undefined || resourceEntry.get(view, entry, 'Id') === id)
      return resourceEntry.get(view, entry, 'Offset');
  }
  return undefined;
}
