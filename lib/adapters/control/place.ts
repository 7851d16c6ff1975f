import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where a control socket may lie, and whose it may be. Nothing here follows what others could have put there. */

const OTHERS_MAY_WRITE = 0o002;
const STICKY = 0o1000;
const SUPERUSER = 0;

const own = (): number | null => process.getuid?.() ?? null;

/** The user whose files we may trust: ourselves, and who could do anything anyway. */
const isTrusted = ({ uid }: Stats): boolean => own() === null || uid === own() || uid === SUPERUSER;

/**
 * Why the folder of a socket may not be used; `null` when it may. Whoever could replace the socket there could speak in the
 * daemon's place.
 */
export function folderRefusal(socketPath: string): string | null {
  const folder = dirname(socketPath);
  const link = lstatSync(folder, { throwIfNoEntry: false });
  const found = statSync(folder, { throwIfNoEntry: false });
  if (link === undefined || found === undefined || !found.isDirectory())
    return `the control socket must lie in a folder; found none: ${folder}`;
  for (const each of [link, found])
    if (!isTrusted(each))
      return `the folder of the control socket must be this user's own; ${folder} belongs to uid ${each.uid}`;
  return (found.mode & OTHERS_MAY_WRITE) !== 0 && (found.mode & STICKY) === 0
    ? `the folder of the control socket must not be open to everybody's writing: ${folder}`
    : null;
}

/** Why what lies at the socket's path may not be taken away or spoken to; `null` when it may, or nothing is there. */
export function socketRefusal(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isSocket()) return `the control socket's place must be free; found another file: ${path}`;
  return own() === SUPERUSER || isTrusted(found)
    ? null
    : `the control socket must be this user's own; ${path} belongs to uid ${found.uid}`;
}
