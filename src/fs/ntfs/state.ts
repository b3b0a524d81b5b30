/**
 * Whether Windows was done with a filesystem: the restart pages of `$LogFile`, and the file in which a sleeping Windows
 * has its memory. ntfs-3g looks at both before it writes (libntfs-3g/volume.c and logfile.c).
 */
import { decodeLatin1, readMaybe, viewOf } from '../../base/index.js';
import { Directory } from './directory.js';
import {
  cachedLogVersion,
  fileNumbers,
  fixupUnit,
  greatestRestartPage,
  hibernation,
  noLogClient,
  restartArea,
  restartFlags,
  restartMagics,
  restartPage,
} from './layout.js';
import type { NtfsVolume } from './volume.js';

type VolumeState = 'clean' | 'unclean' | 'hibernated';

/** One restart page: how new it is, and what it says. */
interface RestartPage {
  readonly sequence: bigint;
  readonly state: VolumeState;
}

function decodePage(bytes: Uint8Array): RestartPage | undefined {
  const { magic, restart_area_offset: at, major_ver: major, minor_ver: minor } = restartPage.decode(bytes);
  const isPage = magic === restartMagics.restart || magic === restartMagics.checked;
  if (!isPage || at + restartArea.size > fixupUnit - 2) return undefined;
  const { current_lsn: sequence, client_in_use_list: client, flags } = restartArea.decode(bytes, at);
  if (major === cachedLogVersion.major && minor === cachedLogVersion.minor)
    return { sequence, state: 'hibernated' };
  const isClean = client === noLogClient || (flags & restartFlags.clean) !== 0;
  return { sequence, state: isClean ? 'clean' : 'unclean' };
}

/** What the log says. One that is empty was emptied when all was well. */
function stateOfLog(volume: NtfsVolume): VolumeState {
  const { data } = volume.inode(fileNumbers.logFile);
  if (data === undefined) return 'unclean';
  const log = volume.open(data);
  let newest: RestartPage | undefined;
  let isEmpty = true;
  for (let at = 0; at <= greatestRestartPage; at = at === 0 ? fixupUnit : 2 * at) {
    const bytes = readMaybe(log, at, fixupUnit);
    if (bytes === undefined) break;
    if (viewOf(bytes).getUint32(restartPage.fields.magic.at, true) !== restartMagics.empty) isEmpty = false;
    const page = decodePage(bytes);
    if (page !== undefined && (newest === undefined || page.sequence > newest.sequence)) newest = page;
  }
  return newest?.state ?? (isEmpty ? 'clean' : 'unclean');
}

/** Whether Windows sleeps, and has its memory here: a file that is too short is one of another volume. */
function isHibernated(volume: NtfsVolume): boolean {
  const found = new Directory(volume, volume.inode(fileNumbers.root)).find(hibernation.name);
  const data = found && volume.inode(found.file).data;
  if (data === undefined) return false;
  if (data.sizeInBytes < hibernation.headerSize) return true;
  const magic = new Uint8Array(4);
  volume.open(data).read(magic, 0);
  return hibernation.magics.some((known) => known === decodeLatin1(magic));
}

export function volumeState(volume: NtfsVolume): VolumeState {
  return isHibernated(volume) ? 'hibernated' : stateOfLog(volume);
}
