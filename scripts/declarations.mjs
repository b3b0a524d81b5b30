// Writes the declarations of the package: dist/index.d.ts and what it needs, below dist/types/.
//   node scripts/declarations.mjs [--entry src/guestfs/index.ts] [--out dist]
//
// The compiler emits them from the sources. Two modules are then replaced, since their computed types make poor
// reading: the methods of the handle get the names of their parameters and the texts of the tables as comments,
// and the tables are told without their texts. Files that nothing refers to are removed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runSource } from './lib/run-source.mjs';

const root = resolve(fileURLToPath(import.meta.url), '..', '..');

/** Runs the compiler for one entry; the declarations go to `folder`, in the places of their sources. */
function emit(entry, folder) {
  const project = join(folder, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    rootDir: join(root, 'src'),
    outDir: folder,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files: [entry] };
  writeFileSync(project, JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], { cwd: root, stdio: 'inherit' });
  rmSync(project);
  if (status !== 0) throw new Error(`the compiler could not emit declarations (status ${status})`);
}

/** The members of an interface in emitted declarations, and their types as they are written there. */
function membersOf(declarations, name) {
  const [, body] = new RegExp(`^export interface ${name} \\{\n([^]*?)^\\}`, 'm').exec(declarations) ?? [];
  if (body === undefined) throw new Error(`no interface ${name}`);
  return Object.fromEntries(
    [...body.matchAll(/^ {4}(\w+): (.+);$/gm)].map(([, member, type]) => [member, type]),
  );
}

/** What the words of the tables are in TypeScript, by the interfaces of src/api/action.ts that say it to the compiler. */
function typesOfTables(declarations) {
  const [args, options, plainResults, texts] = [
    'ArgumentTypes',
    'OptionTypes',
    'PlainResultTypes',
    'TextTypes',
  ].map((name) => membersOf(declarations, name));
  return {
    argument: (type) => typeIn(args, type, 'argument'),
    option: (type) => typeIn(options, type, 'option'),
    result(result) {
      const text = (meaning) => typeIn(texts, meaning, 'text');
      switch (result.type) {
        case 'string':
          return text(result.of);
        case 'stringList':
          return `${text(result.of)}[]`;
        case 'hashtable':
          return `Map<${text(result.keyOf)}, ${text(result.valueOf)}>`;
        case 'struct':
          return `Structs['${result.struct}']`;
        case 'structList':
          return `Structs['${result.struct}'][]`;
        default:
          return typeIn(plainResults, result.type, 'result');
      }
    },
  };
}

function typeIn(table, type, what) {
  if (!Object.hasOwn(table, type)) throw new Error(`no declaration for the ${what} ${type}`);
  return table[type];
}

/** A comment, at an indentation. */
function comment(text, indent) {
  const lines = text
    .replaceAll('*/', '*\\/')
    .split('\n')
    .map((line) => `${indent} * ${line}`.trimEnd());
  return [`${indent}/**`, ...lines, `${indent} */`].join('\n');
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
const reserved = new Set([
  'default',
  'delete',
  'export',
  'function',
  'import',
  'in',
  'new',
  'package',
  'static',
  'var',
]);
const parameter = (name) => (reserved.has(name) ? `${name}_` : name);

/** The declarations of src/api/methods.ts. */
function methodsDeclaration(
  { actionNames, actions, camelCase, hasOptsName, needsAppliance, textWithNames },
  words,
) {
  const types = typesOfTables(words);
  const told = (text) => textWithNames(text, (name) => camelCase(name));
  const interfaces = [];
  const methods = [];
  for (const name of actionNames) {
    const action = actions[name];
    const method = camelCase(name);
    const parameters = action.args.map(
      (argument) => `${parameter(argument.name)}: ${types.argument(argument.type)}`,
    );
    let options = '';
    if (action.options !== undefined) {
      options = `${method.charAt(0).toUpperCase()}${method.slice(1)}Options`;
      const fields = Object.entries(action.options).map(
        ([option, { type, text }]) =>
          `${comment(sentence(told(text)), '  ')}\n  ${option}?: ${types.option(type)} | undefined;`,
      );
      interfaces.push(
        `/** Optional arguments of {@link ActionMethods.${method} | ${method}}. */\nexport interface ${options} {\n${fields.join('\n')}\n}\n`,
      );
    }
    const writes = action.args.some(({ type }) => type === 'fileOut');
    const controls = action.nonBlocking ? '' : writes ? 'SinkControls' : 'CallControls';
    const last = [options, controls].filter((type) => type !== '').join(' & ');
    if (last !== '') parameters.push(`${options === '' ? 'controls' : 'options'}?: ${last}`);
    const result = types.result(action.result);
    const notes = [needsAppliance(name) ? 'Needs the appliance.' : 'Both backends.'];
    if (action.configOnly) notes.push('Only before launch.');
    if (action.group !== undefined) notes.push(`Needs the feature group \`${action.group}\`.`);
    if (action.progress) notes.push('Reports progress.');
    if (writes)
      notes.push(
        'A stream is ended with the call, and destroyed when the call fails, unless `end` is false.',
      );
    if (action.since !== undefined) notes.push(`Since libguestfs ${action.since}.`);
    let text = `${sentence(told(action.short))}\n\n${told(action.help)}\n\n${notes.join(' ')}`;
    for (const argument of action.args)
      text += `\n@param ${parameter(argument.name)} - ${sentence(told(argument.text))}`;
    if (typeof action.deprecatedBy === 'string')
      text += `\n@deprecated Use {@link ActionMethods.${camelCase(action.deprecatedBy)} | ${camelCase(action.deprecatedBy)}}.`;
    else if (action.deprecatedBy) text += '\n@deprecated Nothing takes its place.';
    const declare = (method) =>
      methods.push(
        `${comment(text, '  ')}\n  ${method}(${parameters.join(', ')}): ${action.nonBlocking ? result : `Promise<${result}>`};`,
      );
    declare(method);
    if (hasOptsName(name)) {
      text = `Another name of {@link ActionMethods.${method} | ${method}}. ${text}`;
      declare(`${method}Opts`);
    }
  }
  const declared = [...interfaces, ...methods].join('\n');
  const used = exportedNames(words).filter((name) => new RegExp(`: .*\\b${name}\\b`).test(declared));
  return `import type { ${used.sort().join(', ')} } from './action.js';
import type { Structs } from './structs.js';
import type { CallControls, SinkControls } from './types.js';

${interfaces.join('\n')}
/** The methods of a handle, one for each action; some have a second name, which ends with Opts. */
export interface ActionMethods {
${methods.join('\n')}
}
`;
}

const members = (object) =>
  `{ ${Object.entries(object)
    .map(([key, value]) => `readonly ${key}: ${value};`)
    .join(' ')} }`;
const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
const literals = (object) => members(mapped(object, JSON.stringify));
const optionalArgument = ({ type }) => `OptionalArgument<'${type}'>`;

/** The declarations of src/api/actions.ts, without the texts. */
function actionsDeclaration({ actionNames, actions, topics }) {
  const tables = actionNames.map((name) => {
    const { args, options, result, nonBlocking, by } = actions[name];
    const table = {
      args: `readonly [${args.map((argument) => `Argument<'${argument.name}', '${argument.type}'>`).join(', ')}]`,
      ...(options === undefined ? {} : { options: members(mapped(options, optionalArgument)) }),
      result: literals(result),
      ...(nonBlocking ? { nonBlocking: 'true' } : {}),
      ...(by === undefined ? {} : { by: JSON.stringify(by) }),
    };
    return `  readonly ${name}: ${members(table)};`;
  });
  const topicNames = Object.keys(topics).map((name) => `'${name}'`);
  return `import type { Action, Argument, OptionalArgument, Topic } from './action.js';

/** The topics by the names of their files. */
export declare const topics: Readonly<Record<TopicName, Topic>>;
export type TopicName = ${topicNames.join(' | ')};

/** What is known of every action's arguments and result, by libguestfs name. */
export type ActionTables = {
${tables.join('\n')}
};

/** The libguestfs name of an action: \`part_list\`, \`mke2fs_J\`. */
export type ActionName = keyof ActionTables;
/** Every action by its libguestfs name. */
export declare const actions: Readonly<Record<ActionName, Action>>;
/** The names of all actions, topic by topic. */
export declare const actionNames: readonly ActionName[];
/** Whether \`name\` is the libguestfs name of an action. */
export declare function isActionName(name: string): name is ActionName;
/** Whether the method of an action has a second name, which ends with \`Opts\`. */
export declare function hasOptsName(name: ActionName): boolean;
/** Whether an action is one that the embedded engine leaves to the appliance. */
export declare function needsAppliance(name: ActionName): boolean;
/** Whether an action is for changing what is on a drive, which must be open for writing. */
export declare function changesDisks(name: ActionName): boolean;
`;
}

const exportedNames = (text) =>
  [...text.matchAll(/^export (?:declare )?(?:const|function|type|interface) (\w+)/gm)].map(
    ([, name]) => name,
  );

/** Replaces an emitted file, which must not lose an export by that. */
function replace(file, text) {
  const names = new Set(exportedNames(text));
  const lost = exportedNames(readFileSync(file, 'utf8')).filter((name) => !names.has(name));
  if (lost.length > 0) throw new Error(`${file}: the declarations written lack ${lost.join(', ')}`);
  writeFileSync(file, text);
}

/**
 * The declarations for `require`: the same types, taken from those of the ES module, since each class is one. `door`: the
 * declarations of the entry, which has nothing but lists of exports.
 */
function commonJsDeclaration(door) {
  const types = [];
  const values = [];
  for (const [, isType, list] of door.matchAll(/^export (type )?\{([^}]*)\}/gm))
    for (const item of list
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '')) {
      const [, typed, name] = /^(type )?(\w+)$/.exec(item) ?? [];
      if (name === undefined) throw new Error(`an export of another form: ${item}`);
      (isType !== undefined || typed !== undefined ? types : values).push(name);
    }
  const esModule = `import('./index.js', { with: { 'resolution-mode': 'import' } })`;
  const isClass = (name) => /^[A-Z]/.test(name);
  return [
    `export type { ${types.join(', ')} } from './index.js' with { 'resolution-mode': 'import' };`,
    ...values.map((name) => `export declare const ${name}: typeof ${esModule}.${name};`),
    ...values.filter(isClass).map((name) => `export type ${name} = ${esModule}.${name};`),
    '',
  ].join('\n');
}

/** Removes the files below `folder` that the declarations in `entry` do not lead to. */
function prune(folder, entry) {
  const reached = new Set();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    if (!existsSync(file)) throw new Error(`${file} is imported, but was not emitted`);
    reached.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(
      /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g,
    ))
      queue.push(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')));
  }
  for (const item of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(item.parentPath ?? item.path, item.name);
    if (item.isFile() && !reached.has(file)) rmSync(file);
  }
}

const { values } = parseArgs({
  options: {
    entry: { type: 'string', default: join(root, 'src/guestfs/index.ts') },
    out: { type: 'string', default: join(root, 'dist') },
  },
});
const entry = resolve(values.entry);
const out = resolve(values.out);
const folder = join(out, 'types');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
emit(entry, folder);
const api = await runSource("export * from './src/api/index.js'");
replace(
  join(folder, 'api/methods.d.ts'),
  methodsDeclaration(api, readFileSync(join(folder, 'api/action.d.ts'), 'utf8')),
);
replace(join(folder, 'api/actions.d.ts'), actionsDeclaration(api));
const emitted = relative(join(root, 'src'), entry).replace(/\.ts$/, '');
prune(folder, join(folder, `${emitted}.d.ts`));
writeFileSync(join(out, 'index.d.ts'), `export * from './types/${emitted.split(sep).join('/')}.js';\n`);
writeFileSync(
  join(out, 'index.d.cts'),
  commonJsDeclaration(readFileSync(join(folder, `${emitted}.d.ts`), 'utf8')),
);
