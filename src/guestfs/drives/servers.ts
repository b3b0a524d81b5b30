/** The rules for network drives: the servers, names and secrets of each protocol. */
import type { DriveConfig } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import { parseServer } from '../../formats/index.js';

type Remote = Pick<DriveConfig, 'path' | 'server' | 'username' | 'secret'>;

interface Protocol {
  /** How many servers it takes. */
  readonly servers: 'one' | 'any';
  readonly tcpOnly?: true;
  /** Whether a username and a secret may be given. */
  readonly credentials?: true;
  /** The meaning of the file name, and whether it begins with a slash. */
  readonly export: {
    readonly what: string;
    readonly slash: 'must' | 'must not' | 'may';
    readonly mayBeEmpty?: true;
  };
}

const curl: Protocol = { servers: 'one', credentials: true, export: { what: 'path', slash: 'must' } };

const protocols: Readonly<Record<string, Protocol>> = {
  nbd: { servers: 'one', export: { what: 'export name', slash: 'may', mayBeEmpty: true } },
  ftp: curl,
  ftps: curl,
  http: curl,
  https: curl,
  tftp: curl,
  ssh: { servers: 'one', credentials: true, export: { what: 'path', slash: 'must' } },
  gluster: { servers: 'one', export: { what: 'volume name', slash: 'must not' } },
  iscsi: { servers: 'one', credentials: true, export: { what: 'target name', slash: 'must not' } },
  rbd: {
    servers: 'any',
    tcpOnly: true,
    credentials: true,
    export: { what: 'image name', slash: 'must not' },
  },
  sheepdog: { servers: 'any', tcpOnly: true, export: { what: 'volume name', slash: 'must not' } },
};

const invalid = (problem: string): GuestfsError => new GuestfsError('EINVAL', problem);

/** Checks a drive of a protocol other than `file`. Throws GuestfsError (EINVAL). */
export function checkRemoteDrive(
  protocol: string,
  { path = '', server = [], username, secret }: Remote,
): void {
  const rules = Object.hasOwn(protocols, protocol) ? protocols[protocol] : undefined;
  if (rules === undefined)
    throw invalid(`unknown protocol '${protocol}'; there are file, ${Object.keys(protocols).join(', ')}`);
  if (rules.servers === 'one' && server.length !== 1)
    throw invalid(`${protocol}: exactly one server must be given`);
  for (const one of server) {
    // Which port is the default makes no difference here.
    const { type } = parseServer(one, 0);
    if (type === 'unix' && rules.tcpOnly) throw invalid(`${protocol}: only TCP is possible`);
  }
  if (rules.credentials !== true) {
    if (username !== undefined) throw invalid(`${protocol}: takes no username`);
    if (secret !== undefined) throw invalid(`${protocol}: takes no secret`);
  }
  if (username === '') throw invalid(`${protocol}: the username must not be empty`);
  const { what, slash, mayBeEmpty } = rules.export;
  if (path === '' && mayBeEmpty !== true) throw invalid(`${protocol}: the ${what} must not be empty`);
  if (slash === 'must' && !path.startsWith('/'))
    throw invalid(`${protocol}: the ${what} must begin with '/'`);
  if (slash === 'must not' && path.startsWith('/'))
    throw invalid(`${protocol}: the ${what} must not begin with '/'`);
}
