import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with a zero at the end. */
const PATH_BYTES_MAX = 103;

/** Where the kill file lies when the configuration names no other place: beside the journal. */
export const killFilePath = (journalPath: string): string =>
  `${resolve(journalPath).replace(/\.[^./]*$/, '')}.kill`;

/**
 * Where the daemon of a journal listens: beside the journal (`data/scalpd.db` → `data/scalpd.sock`). A path too long
 * for a socket is replaced by one in the temporary folder, derived from it, in a folder of the user's own.
 */
export function controlPath(journalPath: string): string {
  const beside = `${resolve(journalPath).replace(/\.[^./]*$/, '')}.sock`;
  if (Buffer.byteLength(beside) <= PATH_BYTES_MAX) return beside;
  const name = createHash('sha256').update(beside).digest('hex').slice(0, 16);
  return join(tmpdir(), `scalpd-${userInfo().uid}`, `${name}.sock`);
}
