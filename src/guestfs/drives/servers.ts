/** The rules for network drives: the servers, names and secrets of each protocol. */
import type { DriveConfig } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';

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

/** Checks `host`, `host:port`, `tcp:host:port` or `unix:/path`. */
function checkServer(protocol: string, server: string, tcpOnly: boolean): void {
  if (server.startsWith('unix:')) {
    if (server === 'unix:') throw invalid('the path of the Unix socket is missing');
    if (tcpOnly) throw invalid(`${protocol}: only TCP is possible`);
    return;
  }
  const address = server.startsWith('tcp:') ? server.slice('tcp:'.length) : server;
  const [, host = '', port] = /^(\[[^\]]*\]|.*?)(?::([0-9]+))?$/s.exec(address) ?? [];
  if (!/^[\p{L}\p{N}\-._:[\]]+$/u.test(host))
    throw invalid(`invalid host name '${host}' in server '${server}'`);
  // An IPv6 address without brackets has no port: its last colon belongs to the address.
  const isBareIpv6 = host.includes(':') && !host.startsWith('[');
  if (port !== undefined && !isBareIpv6 && (Number(port) < 1 || Number(port) > 65535))
    throw invalid(`invalid port number ${port} in server '${server}'`);
}

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
  for (const one of server) checkServer(protocol, one, rules.tcpOnly === true);
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
