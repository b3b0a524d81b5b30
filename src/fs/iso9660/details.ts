/** The facts in the primary volume descriptor: the answer of the action `isoinfo_device`. ECMA-119, 8.4. */
import { CorruptError, decodePadded } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { decodeLongDate } from './dates.js';
import { findDescriptors } from './descriptors.js';
import { descriptorPrimary, volumeDescriptor } from './layout.js';

/** Dates are in seconds since 1970, −1 if not given. */
interface IsoDetails {
  readonly systemId: string;
  readonly volumeId: string;
  /** In logical blocks. */
  readonly volumeSpaceSize: number;
  readonly volumeSetSize: number;
  readonly volumeSequenceNumber: number;
  /** In bytes. */
  readonly logicalBlockSize: number;
  readonly volumeSetId: string;
  readonly publisherId: string;
  readonly dataPreparerId: string;
  readonly applicationId: string;
  readonly copyrightFileId: string;
  readonly abstractFileId: string;
  readonly bibliographicFileId: string;
  readonly creation: number;
  readonly modification: number;
  readonly expiration: number;
  readonly effective: number;
}

/** A date. As in libguestfs, the zone counts whatever its value is. */
function seconds(raw: Uint8Array): number {
  return decodeLongDate(raw, 0, (quarters) => quarters * 900)?.seconds ?? -1;
}

/** A field up to a NUL, without trailing blanks: only blanks, as in libguestfs. */
function filled(raw: Uint8Array): string {
  return decodePadded(raw).replace(/ +$/, '');
}

/** Reads the primary volume descriptor. CorruptError without one. */
export function isoDetails(disk: Disk): IsoDetails {
  for (const { type, raw } of findDescriptors(disk)) {
    if (type !== descriptorPrimary) continue;
    const primary = volumeDescriptor.decode(raw);
    return {
      systemId: filled(primary.system_id),
      volumeId: filled(primary.volume_id),
      volumeSpaceSize: primary.volume_space_size,
      volumeSetSize: primary.volume_set_size,
      volumeSequenceNumber: primary.volume_sequence_number,
      logicalBlockSize: primary.logical_block_size,
      volumeSetId: filled(primary.volume_set_id),
      publisherId: filled(primary.publisher_id),
      dataPreparerId: filled(primary.data_preparer_id),
      applicationId: filled(primary.application_id),
      copyrightFileId: filled(primary.copyright_file_id),
      abstractFileId: filled(primary.abstract_file_id),
      bibliographicFileId: filled(primary.bibliographic_file_id),
      creation: seconds(primary.creation_date),
      modification: seconds(primary.modification_date),
      expiration: seconds(primary.expiration_date),
      effective: seconds(primary.effective_date),
    };
  }
  throw new CorruptError(volumeDescriptor.name, 'is missing: there is no primary one');
}
