import type { ConnectionBase, Progress } from './connection-types.ts';

/**
 * Subscribing a wanted set at a server that may take only part of it. A refused subscription changes nothing there, and
 * says nothing about how many symbols would have fitted; so pieces are asked for one after the other, and halved
 * towards the limit. The symbols that are wanted first are kept.
 */

export function beginProgress(base: ConnectionBase): Progress {
  const { symbols, required, optional } = base.wanted;
  return askNext(base, {
    asked: [],
    queue: symbols,
    confirmed: [],
    refused: [],
    limit: null,
    channels: [...required, ...optional],
  });
}

/** Takes the next piece from the queue; with an empty `asked` afterwards, nothing is left to ask for. */
function askNext(base: ConnectionBase, progress: Progress): Progress {
  const { queue, confirmed, limit } = progress;
  const room = limit === null ? base.policy.batchMax : Math.ceil((limit - confirmed.length) / 2);
  if (room <= 0) return { ...progress, asked: [], queue: [], refused: [...progress.refused, ...queue] };
  const size = Math.min(room, base.policy.batchMax);
  return { ...progress, asked: queue.slice(0, size), queue: queue.slice(size) };
}

/** The server cannot take the symbols asked for: there is room for fewer. */
export function onLimit(base: ConnectionBase, progress: Progress): Progress {
  const limit = Math.min(
    progress.limit ?? Number.POSITIVE_INFINITY,
    progress.confirmed.length + progress.asked.length - 1,
  );
  return askNext(base, { ...progress, limit, asked: [], queue: [...progress.asked, ...progress.queue] });
}

/** The server could not read the request: one of its symbols is spelled in a way it does not accept. */
export function onSyntax(base: ConnectionBase, progress: Progress): Progress {
  const { asked, queue } = progress;
  if (asked.length <= 1)
    return askNext(base, { ...progress, asked: [], refused: [...progress.refused, ...asked] });
  const half = Math.ceil(asked.length / 2);
  return { ...progress, asked: asked.slice(0, half), queue: [...asked.slice(half), ...queue] };
}

/** The feed does not have one of the channels: go on with those that are required. `null` when that is what was asked. */
export function onChannel(base: ConnectionBase, progress: Progress): Progress | null {
  const { required } = base.wanted;
  return progress.channels.length > required.length ? { ...progress, channels: required } : null;
}

/** Compares the server's complete set with what was asked for; `null` while some of it is still missing. */
export function onConfirmed(
  base: ConnectionBase,
  progress: Progress,
  channels: Readonly<Record<string, readonly string[]>>,
): Progress | null {
  const missing = new Set(missingFrom(base, progress.asked, channels));
  if (missing.size > 0) return null;
  return askNext(base, { ...progress, asked: [], confirmed: [...progress.confirmed, ...progress.asked] });
}

/** Those of `symbols` that lack a required channel. */
export function missingFrom(
  base: ConnectionBase,
  symbols: readonly string[],
  channels: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const sets = base.wanted.required.map((channel) => new Set(channels[channel] ?? []));
  return symbols.filter((symbol) => sets.some((set) => !set.has(symbol)));
}
