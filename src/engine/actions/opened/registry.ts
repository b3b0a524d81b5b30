/** Registry hives of the guest, opened and read. Nodes and values have libhivex's numbers, as they go along to it. */
import { CorruptError, GuestfsError, UnsupportedError } from '../../../base/index.js';
import { Hive } from '../../../formats/index.js';
import { fileContents } from '../../session/contents.js';
import type { OpenHive } from '../../session/session.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';

/** The hive that is open. It is closed with the filesystem that it is on. */
export function openedHive({ session }: Call): OpenHive {
  const { hive } = session;
  if (hive !== undefined && session.mounts.mounts().includes(hive.mount)) return hive;
  session.hive = undefined;
  throw new GuestfsError('EINVAL', 'no hive is open: call hivex_open first');
}

const opened = (call: Call): Hive => openedHive(call).hive;

function close({ session }: Call): void {
  session.hive = undefined;
  session.calls.forget('hive', () => true);
  session.calls.forget('hiveChanges', () => true);
}

function read(call: Call, path: string, tolerant: boolean): Hive {
  try {
    return new Hive(fileContents(call, path), { tolerant });
  } catch (thrown) {
    throw thrown instanceof CorruptError || thrown instanceof UnsupportedError
      ? thrown.within(path, path)
      : thrown;
  }
}

/** 0 stands for none in the answers. */
const orNone = (found: number | undefined): number => found ?? 0;

export const registryHandlers = {
  hivex_open(call, path, options) {
    const { session } = call;
    close(call);
    const { mount } = session.tree.resolve(path);
    const { write: isWritable = false, unsafe: tolerant = false } = options;
    session.hive = { hive: read(call, path, tolerant), mount, path, isWritable, tolerant, changeCount: 0 };
    session.calls.record('hive', [mount], { action: 'hivex_open', args: [path], options });
  },
  hivex_close(call) {
    opened(call);
    close(call);
  },
  hivex_root: (call) => opened(call).root,
  hivex_node_name: (call, node) => opened(call).nodeName(node),
  hivex_node_parent: (call, node) => opened(call).nodeParent(node),
  hivex_node_children: (call, node) =>
    opened(call)
      .nodeChildren(node)
      .map((hivexNodeH) => ({ hivexNodeH })),
  hivex_node_get_child: (call, node, name) => orNone(opened(call).nodeGetChild(node, name)),
  hivex_node_values: (call, node) =>
    opened(call)
      .nodeValues(node)
      .map((hivexValueH) => ({ hivexValueH })),
  hivex_node_get_value: (call, node, key) => orNone(opened(call).nodeGetValue(node, key)),
  hivex_value_key: (call, value) => opened(call).valueKey(value),
  hivex_value_type: (call, value) => opened(call).valueType(value),
  hivex_value_string: (call, value) => opened(call).valueText(value),
  hivex_value_value: (call, value) => opened(call).valueData(value),
  hivex_value_utf8: (call, value) => opened(call).valueText(value),
} satisfies TopicHandlers;
