import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker, BrokerClock } from '../ports/broker.ts';
import type { Log } from '../ports/log.ts';

export type ClockConnection =
  | { readonly kind: 'connected'; readonly clock: BrokerClock }
  | { readonly kind: 'failed'; readonly code: 'unauthorized' | 'notConnected'; readonly text: string };

/** Wall time. A supervisor such as pm2 starts us again after that; a person at a terminal wants to know. */
const PATIENCE_MILLIS = 60_000;
const PAUSE_FIRST_MILLIS = 500;
const PAUSE_MAX_MILLIS = 10_000;

/**
 * Asks for the broker's clock until there is an answer, for a minute at the most: the first thing the daemon does, for
 * every timer runs on it. Refused credentials end it at once. Wall time, because there is no other yet.
 */
export async function connectClock(
  broker: Pick<Broker, 'clock'>,
  log: Log,
  stop: AbortSignal,
): Promise<ClockConnection> {
  const until = performance.now() + PATIENCE_MILLIS;
  for (let pause = PAUSE_FIRST_MILLIS; ; pause = Math.min(pause * 2, PAUSE_MAX_MILLIS)) {
    const answer = await broker.clock();
    if (answer.kind === 'ok') return { kind: 'connected', clock: answer.value };
    const { code, text } = answer.failure;
    if (code === 'unauthorized') return { kind: 'failed', code, text };
    if (stop.aborted || performance.now() + pause > until)
      return { kind: 'failed', code: 'notConnected', text };
    log.warn('broker.unreachable', { text, retryInSeconds: pause / 1_000 });
    await sleep(pause, undefined, { signal: stop }).catch(() => undefined);
  }
}
