/** Answers of inspection that need several answers of the daemon, or files of the guest. */
import {
  type ActionName,
  type ActionResult,
  applicationStruct,
  type Mountable,
  type OsGetter,
  type OsInfo,
  osGetters,
  osInfoOf,
  windowsGetters,
} from '../../api/index.js';
import {
  type Icon,
  type IconGuest,
  iconCandidates,
  iconIn,
  iconLimit,
  osinfoOf,
} from '../../formats/index.js';
import { listApplications } from './applications.js';
import { type Composites, failedWith, type LibraryCall } from './call.js';
import { readGuestFile } from './contents.js';

/** The picture at a path, if it passes the checks for an icon. Links are followed. */
async function readIcon(call: LibraryCall, path: string, icon: Icon): Promise<Uint8Array | undefined> {
  if (!(await call.daemon('is_file', [path], { followsymlinks: true }))) return undefined;
  try {
    return iconIn(await readGuestFile(call, path, iconLimit), icon);
  } catch (thrown) {
    if (failedWith(thrown, 'EFBIG', 'ENOENT')) return undefined;
    throw thrown;
  }
}

/** A path in the spelling of the disk; unchanged if nothing is there. */
async function spelled(call: LibraryCall, path: string): Promise<string> {
  try {
    return await call.daemon('case_sensitive_path', [path]);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT', 'ENOTDIR')) return path;
    throw thrown;
  }
}

export const inspectionActions = {
  inspect_get_osinfo: async (call, root) => {
    const type = await call.daemon('inspect_get_type', [root]);
    const distro = await call.daemon('inspect_get_distro', [root]);
    const facts = {
      type,
      distro: distro === 'unknown' ? undefined : distro,
      version: {
        major: await call.daemon('inspect_get_major_version', [root]),
        minor: await call.daemon('inspect_get_minor_version', [root]),
      },
    };
    if (type !== 'windows') return osinfoOf(facts);
    return osinfoOf({
      ...facts,
      productName: await call.daemon('inspect_get_product_name', [root]),
      productVariant: await call.daemon('inspect_get_product_variant', [root]),
      buildId: await buildId(call, root),
    });
  },
  inspect_list_applications2: listApplications,
  inspect_list_applications: async (call, root) =>
    (await listApplications(call, root)).map(applicationStruct),
  inspect_get_icon: async (call, root, { favicon, highquality }) => {
    const type = await call.daemon('inspect_get_type', [root]);
    const guest: IconGuest = {
      type,
      ...(type === 'windows'
        ? { windowsSystemroot: await call.daemon('inspect_get_windows_systemroot', [root]) }
        : {}),
      distro: await call.daemon('inspect_get_distro', [root]),
      majorVersion: await call.daemon('inspect_get_major_version', [root]),
      minorVersion: await call.daemon('inspect_get_minor_version', [root]),
    };
    const options = { favicon: favicon ?? true, highQuality: highquality ?? false };
    for (const icon of iconCandidates(guest, options)) {
      const path = icon.anyCase === true ? await spelled(call, icon.path) : icon.path;
      const bytes = await readIcon(call, path, icon);
      if (bytes !== undefined) return bytes;
    }
    return new Uint8Array();
  },
} satisfies Partial<Composites<ActionName>>;

/** The build of Windows; undefined if the daemon is too old to report it. */
async function buildId(call: LibraryCall, root: string): Promise<string | undefined> {
  try {
    return await call.daemon('inspect_get_build_id', [root]);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOTSUP')) return undefined;
    throw thrown;
  }
}

async function answerOf(call: LibraryCall, getter: OsGetter, root: Mountable): Promise<unknown> {
  if (getter === 'inspect_get_build_id') return await buildId(call, root);
  if (getter === 'inspect_get_osinfo') return await inspectionActions.inspect_get_osinfo(call, root);
  return await call.daemon(getter, [root]);
}

/** The handle's `osInfo`: each getter is a call of the daemon. */
export async function osInfo(call: LibraryCall, root: Mountable): Promise<OsInfo> {
  const answers = new Map<string, unknown>();
  const ask = async (getter: OsGetter): Promise<void> => {
    answers.set(getter, (await answerOf(call, getter, root)) ?? 'unknown');
  };
  for (const getter of osGetters) await ask(getter);
  if (answers.get('inspect_get_type') === 'windows') for (const getter of windowsGetters) await ask(getter);
  // safe: each is the answer of its getter
  return osInfoOf(root, (getter) => answers.get(getter) as ActionResult<typeof getter>);
}
