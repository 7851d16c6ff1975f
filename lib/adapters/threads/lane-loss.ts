import type { LaneLoss } from '../../ports/lane-host.ts';
import { nameSource } from './source-place.ts';
import { StrategyError } from './strategy-loader.ts';

/** Why the host ended a thread itself; the reason of its abort signal. */
export class ThreadEnded extends Error {
  override readonly name = 'ThreadEnded';
  readonly loss: LaneLoss;

  constructor(loss: LaneLoss) {
    super(loss.text);
    this.loss = loss;
  }
}

const EXITED = /^worker exited with code: (\d+)$/;

/** What the rejection of a thread's task says about its lanes. */
export function lossOf(error: unknown): LaneLoss {
  if (!(error instanceof Error)) return { code: 'threw', text: String(error) };
  if (error.cause instanceof ThreadEnded) return error.cause.loss;
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return { code: 'outOfMemory', text: error.message };
  const exit = EXITED.exec(error.message);
  if (exit !== null) return { code: 'exited', text: `the thread exited with code ${exit[1]}` };
  if (error.name === 'AbortError' || error.message === 'Terminating worker thread')
    return { code: 'aborted', text: 'the thread was ended' };
  return { code: 'threw', text: describeError(error) };
}

/** One line: name, message and the place it was thrown at, so that the author of a strategy finds it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof StrategyError) return error.message;
  const place = error.stack
    ?.split('\n')
    .find((line) => /^\s+at /.test(line))
    ?.trim();
  const text = `${error.name}: ${error.message}`.replaceAll('\n', ' ');
  return place === undefined ? text : `${text} (${nameSource(place)})`;
}
