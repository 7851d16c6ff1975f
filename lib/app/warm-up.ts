import type { AlpacaBroker } from '../adapters/alpaca/rest.ts';
import type { Log } from '../ports/log.ts';
import { rehearse } from './rehearsal.ts';

/**
 * Around the start: connections are opened and code is run, so that the first exit does not pay for either. What it costs is
 * bounded, and nothing of it keeps the daemon from starting.
 */

/** Beyond that many a broker may take offense, and orders wait for answers instead. */
const LINES_MAX = 200;
/** Cancels that leave while every lane has an order under way. */
const SPARE_LINES = 2;
/** Threads need open files as well, and far more of them: connections get one in so many. */
const OPEN_FILES_PER_LINE = 16;

/** Connections for orders that are kept ready: all lanes may get out in the same instant. */
export function orderLinesFor(lanes: number, openFiles: number): number {
  return Math.max(1, Math.min(LINES_MAX, lanes + SPARE_LINES, Math.floor(openFiles / OPEN_FILES_PER_LINE)));
}

const REQUESTS_MAX = 20;
const BUDGET_SHARE = 0.1;

/** So many reads may go into warming up; the rest of the minute's budget is there for shares that are held already. */
export const warmUpRequests = (requestsPerMinute: number): number =>
  Math.min(REQUESTS_MAX, Math.floor(requestsPerMinute * BUDGET_SHARE));

const REHEARSAL_MINUTES = 10;
const REHEARSAL_MICROS = 300_000;

/** Returns how many requests it has made. */
export async function warmUp(broker: Pick<AlpacaBroker, 'warm'>, requestsPerMinute: number): Promise<number> {
  const requests = warmUpRequests(requestsPerMinute);
  await broker.warm(requests);
  return requests;
}

/** Right after the start, between other things: a restart with shares to sell must not wait for it. */
export async function runRehearsal(log: Log): Promise<void> {
  const from = stopwatch();
  try {
    const { orders } = await rehearse(REHEARSAL_MINUTES, REHEARSAL_MICROS, stopwatch);
    log.info('engine.rehearsed', { orders, micros: Math.round(stopwatch() - from) });
  } catch (error) {
    // Cold code is slower, and no reason not to trade.
    log.warn('engine.notRehearsed', { text: error instanceof Error ? error.message : String(error) });
  }
}

const stopwatch = (): number => performance.now() * 1_000;
