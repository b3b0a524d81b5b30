/** What is installed in the operating system that was found: its programs, and its icon. */
import { application2Struct, applicationStruct } from '../../api/index.js';
import { type Application, findIcon, listApplications } from '../../inspect/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { guest } from './inspection.js';

/** As librpm does in the appliance, a damaged package is left out; a list of which nothing is left is an error. */
function applications(call: Call, root: string): Application[] {
  const { tree, damage } = call.session;
  const listed = listApplications(tree, guest(call, root), (error, path) => damage.leaveOut(error, path));
  damage.failIfEmpty(listed.length === 0);
  return listed;
}

export const installedHandlers = {
  inspect_list_applications2: (call, root) =>
    applications(call, root).map((each) => application2Struct(each)),
  inspect_list_applications: (call, root) =>
    applications(call, root).map((each) => applicationStruct(application2Struct(each))),
  inspect_get_icon: (call, root, { favicon, highquality }) =>
    findIcon(call.session.tree, guest(call, root), {
      favicon: favicon ?? true,
      highQuality: highquality ?? false,
    }),
} satisfies TopicHandlers;
