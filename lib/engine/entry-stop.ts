import type { Ticker } from '../domain/ids.ts';
import type { SessionPlan } from '../domain/session.ts';
import { formatInstant } from '../domain/time.ts';
import type { Clock } from '../ports/clock.ts';
import type { EntryGates } from './entry-gates.ts';
import type { LaneModes } from './modes.ts';
import type { Recorder } from './recorder.ts';

/** Why no entry in a symbol may leave now, whatever it is; `null` when one may. */
export type EntryStop = { readonly code: string; readonly text: string };

export type EntryStopDeps = {
  readonly clock: Clock;
  readonly recorder: Pick<Recorder, 'broken'>;
  readonly modes: Pick<LaneModes, 'of'>;
  readonly gates: Pick<EntryGates, 'of'>;
  readonly plan: () => SessionPlan | null;
  /** Whether trading is being ended. */
  readonly stopping: () => boolean;
};

/** The lane has judged most of this when it decided; an entry that waited in the queue leaves into what holds now. */
export function createEntryStop({ clock, recorder, modes, gates, ...deps }: EntryStopDeps) {
  return (symbol: Ticker): EntryStop | null => {
    if (deps.stopping()) return { code: 'stopping', text: 'the daemon is stopping' };
    if (recorder.broken())
      return { code: 'journalFailed', text: 'entries need a journal that takes records' };
    const mode = modes.of(symbol);
    if (mode !== 'active')
      return {
        code: mode === 'paused' ? 'paused' : 'exitOnly',
        text: `entries need an active lane: ${mode}`,
      };
    const gate = gates.of(symbol);
    if (gate.kind === 'shut') return { code: gate.code, text: `entries are shut: ${gate.code}` };
    const plan = deps.plan();
    return plan !== null && clock.now() >= plan.entryCutoffAt
      ? { code: 'afterCutoff', text: `no entry after the cutoff: ${formatInstant(plan.entryCutoffAt)}` }
      : null;
  };
}
