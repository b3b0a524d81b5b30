/**
 * Configuration files as one tree, through Augeas: `/files/etc/hosts/1/ipaddr` is the first address of
 * `/etc/hosts`.
 *
 * Paths are Augeas path expressions, which can select several nodes at once.
 */
import { bool, gives, int, optional, optString, pathname, string, topic } from '../action.js';

const augpath = string('augpath', 'path of Augeas, such as `/files/etc/hosts/1/alias`');
const nodeValue = string('val', 'the value');
const variable = string('name', 'name of the variable');

export const augeas = topic('Configuration files', {
  aug_init: {
    args: [
      pathname('root', 'directory below which the files are, mostly `/`'),
      int('flags', 'sum of the bits that say how; 0 for none of them'),
    ],
    result: gives.nothing,
    proc: 16,
    since: '0.7',
    short: 'begin to edit configuration files',
    help: 'Reads the files below `root`, mostly `/`, that Augeas knows. Whatever was begun before is closed. `flags` is a sum: 1 keep a backup with `.augsave`, 2 write to `.augnew` instead, 4 check types of lenses, 8 leave out the standard lenses, 16 save nothing, 32 read nothing yet.',
  },
  aug_close: {
    args: [],
    result: gives.nothing,
    proc: 26,
    since: '0.7',
    short: 'end editing configuration files',
    help: 'Changes that were not saved are lost.',
  },
  aug_load: {
    args: [],
    result: gives.nothing,
    proc: 27,
    since: '0.7',
    short: 'read the configuration files',
    help: 'Reads them again, losing changes that were not saved. With the flag 32 of `aug_init` it reads them for the first time.',
  },
  aug_save: {
    args: [],
    result: gives.nothing,
    proc: 25,
    since: '0.7',
    short: 'write the changes to the configuration files',
    help: 'As the flags of `aug_init` say. If a file cannot be written it fails, and the nodes that `/augeas//error` selects say why.',
  },
  aug_get: {
    args: [augpath],
    result: gives.string,
    proc: 19,
    since: '0.7',
    short: 'give the value of a node',
    help: 'The path must select exactly one node that has a value.',
  },
  aug_set: {
    args: [augpath, nodeValue],
    result: gives.nothing,
    proc: 20,
    since: '0.7',
    short: 'set the value of a node',
    help: 'The node is made, with those above it, if the path selects none; several are an error.',
  },
  aug_setm: {
    args: [
      string('base', 'path that selects the nodes to begin at'),
      optString('sub', 'path from each of them; null for the node itself'),
      nodeValue,
    ],
    result: gives.int,
    proc: 411,
    since: '1.23.14',
    short: 'set the values of many nodes',
    help: 'For every node of `base`, sets the one that `sub` selects from there, or itself if that is null, and makes it where it is missing. Gives how many were set.',
  },
  aug_clear: {
    args: [augpath],
    result: gives.nothing,
    proc: 239,
    since: '1.3.4',
    short: 'take the value of a node away',
    help: 'The node remains, with those below it; it is made if the path selects none.',
  },
  aug_rm: {
    args: [augpath],
    result: gives.int,
    proc: 22,
    since: '0.7',
    short: 'remove nodes',
    help: 'With all that is below. Gives how many went, which may be 0.',
  },
  aug_mv: {
    args: [string('src', 'path of the node'), string('dest', 'its new path')],
    result: gives.nothing,
    proc: 23,
    since: '0.7',
    short: 'move a node',
    help: '`src` must select exactly one; what is at `dest` is replaced.',
  },
  aug_insert: {
    args: [
      augpath,
      string('label', 'label of the new node'),
      bool('before', 'true for before the node, false for behind it'),
    ],
    result: gives.nothing,
    proc: 21,
    since: '0.7',
    short: 'put a node beside another',
    help: 'The new node is called `label` and goes right before the one that the path selects if `before` is true, or right behind it.',
  },
  aug_match: {
    args: [augpath],
    result: gives.strings,
    proc: 24,
    since: '0.7',
    short: 'list the nodes that a path selects',
    help: 'Gives a path for each that selects it alone; none is an empty list.',
  },
  aug_ls: {
    args: [augpath],
    result: gives.strings,
    proc: 28,
    since: '0.8',
    short: 'list the nodes below a node',
    help: 'Gives their paths, sorted: those that `aug_match` finds with `/*` added.',
  },
  aug_label: {
    args: [augpath],
    result: gives.string,
    proc: 412,
    since: '1.23.14',
    short: "give the last part of a node's path",
    help: 'Gives it without a position: `alias` for `/files/etc/hosts/1/alias[2]`. The path must select exactly one node.',
  },
  aug_defvar: {
    args: [variable, optString('expr', 'expression of Augeas; null to forget the name')],
    result: gives.int,
    proc: 17,
    since: '0.7',
    short: 'give a name to the value of an expression',
    help: '`$name` can then be used in paths; an `expr` that is null forgets it. Gives how many nodes there are, 0 if it is no set of nodes.',
  },
  aug_defnode: {
    args: [variable, string('expr', 'expression of Augeas'), nodeValue],
    result: gives.struct('int_bool'),
    proc: 18,
    since: '0.7',
    short: 'give a name to a node, making it if need be',
    help: 'As `aug_defvar`, but if the expression selects nothing, a node with the value `val` is made. Gives the number of nodes, and whether one was made.',
  },
  aug_transform: {
    args: [string('lens', 'name of the lens, such as `Hosts.lns`'), string('file', 'pattern of paths')],
    options: { remove: optional.bool('exclude the files from the lens') },
    result: gives.nothing,
    proc: 469,
    since: '1.35.2',
    short: 'let a lens read more files, or not',
    help: 'Adds the pattern `file` to those that `lens` reads, as from the next `aug_load`; with `remove` true, excludes it.',
  },
});
