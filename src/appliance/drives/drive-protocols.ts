/** Drives on the network as nodes of qemu's block layer. Their options were checked when the drive was added. */

import type { DriveConfig } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import { authority, parseServer, type ServerAddress } from '../../formats/index.js';
import type { Json } from '../machine/qmp.js';

/** A protocol's node, and the secret that it refers to. */
interface RemoteNode {
  readonly node: Json;
  /** The arguments of `object-add`. */
  readonly secret: Json | undefined;
}

interface Remote {
  readonly drive: DriveConfig;
  readonly path: string;
  readonly user: string | undefined;
  /** The id of the secret, where there is one. */
  readonly secretId: string | undefined;
  server(defaultPort: number): ServerAddress;
  servers(defaultPort: number): readonly ServerAddress[];
}

const invalid = (problem: string): GuestfsError => new GuestfsError('EINVAL', problem);

/** The one TCP server of a drive. */
function tcpServer(remote: Remote, defaultPort: number): { host: string; port: number } {
  const server = remote.server(defaultPort);
  if (server.type === 'unix') throw invalid(`${remote.drive.protocol}: a Unix socket is not possible`);
  return server;
}

/** A server as QAPI's SocketAddress or InetSocketAddress: the port is text. */
function socketAddress(server: ServerAddress): Json {
  return server.type === 'unix' ? { ...server } : { ...server, port: String(server.port) };
}

/** `first/rest`: how some protocols write a place in a pool, a volume, a target. */
function splitPath(path: string, what: string): [string, string] {
  const slash = path.indexOf('/');
  if (slash <= 0 || slash === path.length - 1) throw invalid(`'${path}' must be ${what}`);
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function given(parts: Json): Json {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function curlNode(scheme: string, defaultPort: number) {
  return (remote: Remote): Json => {
    const url = `${scheme}://${authority(tcpServer(remote, defaultPort))}${encodePath(remote.path)}`;
    return given({ driver: scheme, url, username: remote.user, 'password-secret': remote.secretId });
  };
}

/** A path in a URL, with special characters escaped. A `%` already begins an escape, as in the C library. */
function encodePath(path: string): string {
  if (/\p{Surrogate}/u.test(path))
    throw new GuestfsError('EILSEQ', `${JSON.stringify(path)}: a URL cannot have what is not UTF-8`);
  return encodeURI(path).replaceAll('%25', '%').replaceAll('#', '%23');
}

const nodes: Readonly<Record<string, (remote: Remote) => Json>> = {
  nbd: (remote) =>
    given({
      driver: 'nbd',
      server: socketAddress(remote.server(10809)),
      export: remote.path === '' ? undefined : remote.path,
    }),
  http: curlNode('http', 80),
  https: curlNode('https', 443),
  ftp: curlNode('ftp', 21),
  ftps: curlNode('ftps', 990),
  ssh: (remote) => {
    if (remote.secretId !== undefined)
      throw new GuestfsError('ENOTSUP', 'ssh: qemu takes no password: use the keys of an ssh-agent');
    const { host, port } = tcpServer(remote, 22);
    return given({
      driver: 'ssh',
      server: { host, port: String(port) },
      path: remote.path,
      user: remote.user,
    });
  },
  gluster: (remote) => {
    const [volume, path] = splitPath(remote.path, 'a volume and a path in it, VOLUME/PATH');
    return { driver: 'gluster', volume, path, server: remote.servers(24007).map(socketAddress) };
  },
  iscsi: (remote) => {
    const { host, port } = tcpServer(remote, 3260);
    const slash = remote.path.lastIndexOf('/');
    const lun = slash < 0 ? '0' : remote.path.slice(slash + 1);
    if (!/^[0-9]{1,3}$/.test(lun)) throw invalid(`iscsi: '${lun}' in '${remote.path}' is no unit number`);
    return given({
      driver: 'iscsi',
      transport: 'tcp',
      portal: authority({ host, port }),
      target: slash < 0 ? remote.path : remote.path.slice(0, slash),
      lun: Number(lun),
      user: remote.user,
      'password-secret': remote.secretId,
    });
  },
  rbd: (remote) => {
    const [pool, image] = splitPath(remote.path, 'a pool and an image in it, POOL/IMAGE');
    const servers = remote.servers(6789).map((server) => {
      if (server.type === 'unix') throw invalid('rbd: a Unix socket is not possible');
      return { host: server.host, port: String(server.port) };
    });
    return given({
      driver: 'rbd',
      pool,
      image,
      server: servers.length === 0 ? undefined : servers, // else by the host's ceph.conf
      user: remote.user,
      'key-secret': remote.secretId,
      'auth-client-required': remote.user === undefined ? ['none'] : ['cephx', 'none'],
    });
  },
};

/** The node of a drive on the network. Throws GuestfsError (EINVAL, ENOTSUP). */
export function remoteNode(drive: DriveConfig, secretId: string): RemoteNode {
  const { protocol = '', path = '', server = [], username, secret } = drive;
  const make = Object.hasOwn(nodes, protocol) ? nodes[protocol] : undefined;
  if (make === undefined) throw new GuestfsError('ENOTSUP', `qemu has no protocol '${protocol}' any more`);
  const servers = (defaultPort: number): ServerAddress[] =>
    server.map((one) => parseServer(one, defaultPort));
  const node = make({
    drive,
    path,
    user: username,
    secretId: secret === undefined ? undefined : secretId,
    servers,
    server(defaultPort) {
      const [first] = servers(defaultPort);
      if (first === undefined) throw invalid(`${protocol}: a server must be given`);
      return first;
    },
  });
  if (secret === undefined) return { node, secret: undefined };
  // The caller gives the key of rbd as base64, and qemu encodes the decoded bytes again.
  const data = protocol === 'rbd' ? secret : Buffer.from(secret).toString('base64');
  return { node, secret: { 'qom-type': 'secret', id: secretId, data, format: 'base64' } };
}
