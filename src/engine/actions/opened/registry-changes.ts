/**
 * Changes of the registry hive that is open. They are in memory until `hivex_commit`, and go along to another backend as
 * calls.
 */
import { systemError } from '../../../base/index.js';
import { HiveEditor } from '../../../formats/index.js';
import { fileContents } from '../../session/contents.js';
import type { OpenHive } from '../../session/session.js';
import { plainCall } from '../../session/session-calls.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { bytesOf, fileMode, treeWriter, withContents } from '../writing/writer.js';
import { openedHive } from './registry.js';

/** The open hive, to be changed: read whole at the first change. EROFS unless it was opened for that. */
function editorOf(call: Call, open: OpenHive): HiveEditor {
  if (!open.isWritable) throw systemError('EROFS', open.path);
  if (open.editor === undefined) {
    const editor = new HiveEditor(fileContents(call, open.path), { tolerant: open.tolerant });
    call.session.hive = { ...open, hive: editor.hive, editor };
    return editor;
  }
  return open.editor;
}

function change<T>(call: Call, args: readonly unknown[], work: (editor: HiveEditor) => T): T {
  const result = work(editorOf(call, openedHive(call)));
  const number = ++openedHive(call).changeCount;
  const name = call.action as 'hivex_node_add_child';
  call.session.calls.record('hiveChanges', [String(number)], plainCall(name, ...args));
  return result;
}

function commit(call: Call, filename: string | null): void {
  const open = openedHive(call);
  const bytes = editorOf(call, open).commit();
  const writer = treeWriter(call);
  const file = writer.open(filename ?? open.path, { create: fileMode });
  withContents(file.contents, (contents) => {
    contents.resize(bytes.length);
    contents.write(bytes, 0);
  });
  // Another backend reads them with the file.
  const here = call.session.tree.resolve(open.path);
  if (file.place.fileSystem === here.fileSystem && file.place.inode === here.inode)
    call.session.calls.forget('hiveChanges', () => true);
}

export const registryWritingHandlers = {
  hivex_node_add_child: (call, parent, name) =>
    change(call, [parent, name], (editor) => editor.addChild(parent, name)),
  hivex_node_delete_child: (call, node) => change(call, [node], (editor) => editor.deleteChild(node)),
  hivex_node_set_value(call, node, key, type, value) {
    const data = bytesOf(value);
    change(call, [node, key, type, data], (editor) => editor.setValue(node, key, type, data));
  },
  hivex_commit: commit,
} satisfies TopicHandlers;
