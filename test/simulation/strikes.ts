import { CONNECT_FAULTS, FRAME_FAULTS, REST_FAULTS } from '../../lib/sim/fault-types.ts';
import type { Run } from './run-scenario.ts';
import type { HappeningKind } from './scenario.ts';

/**
 * Every kind of fault there is, in the order of the table. A kind is counted where it takes effect, never where it is
 * drawn: one that never struck is a hole in the test.
 */
export const STRIKE_KINDS: readonly string[] = [
  ...REST_FAULTS,
  ...FRAME_FAULTS,
  ...CONNECT_FAULTS,
  ...([
    'cut',
    'halt',
    'rateStorm',
    'brokerDown',
    'diskFull',
    'diskSlow',
    'laneDies',
    'laneHangs',
    'pause',
    'resume',
    'flatten',
    'kill',
    'adopt',
    'foreignShares',
    'foreignOrder',
    'cancelByHand',
    'replaceByHand',
    'endByVenue',
  ] satisfies readonly HappeningKind[]),
  'killed before request',
  'killed after request',
  'killed before answer',
  'killed after answer',
  'killed before report',
  'killed after report',
  'killed before record',
  'killed after record',
  'killed at an instant',
  'halt into the flatten',
  'shortened session',
  'start in mid-session',
  'clock skew',
  'positions lag',
  'order not listed yet',
  'bar missing',
  'bar corrected',
  'execution repeated',
  'fill comes late',
  'fill after canceled',
  'new after the end',
  'cancel answered 204, then filled',
  'cancel answered 204, then refused',
  'cancel answered 422',
  'rejected by the venue',
  'submit unknown',
  'rate limit reached',
];

/** How often each kind struck in one run. */
export function strikesOf(run: Run): ReadonlyMap<string, number> {
  const { weather, witness, scenario, exchange } = run;
  const strikes = new Map<string, number>(STRIKE_KINDS.map((kind) => [kind, 0]));
  const add = (kind: string, count: number): void => {
    if (strikes.has(kind)) strikes.set(kind, (strikes.get(kind) ?? 0) + count);
  };
  for (const [kind, count] of weather.hits) if (kind !== 'halt' && kind !== 'rateStorm') add(kind, count);
  for (const [kind, count] of witness.situations) add(kind, count);
  add('shortened session', scenario.sessions.filter(({ halfDay }) => halfDay).length);
  add(
    'start in mid-session',
    witness.processes.filter(({ startedAt }) => isMidSession(run, startedAt)).length,
  );
  if (scenario.skew !== 0) add('clock skew', witness.processes.length);
  if (scenario.exchange.positionsLag > 0) add('positions lag', 1);
  for (const { status, cancelRequestedAt } of exchange.ledger().orders) {
    if (status === 'filled' && cancelRequestedAt !== null) add('cancel answered 204, then filled', 1);
    if (status === 'rejected') add('rejected by the venue', 1);
  }
  for (const happening of scenario.happenings)
    if (happening.kind === 'halt')
      for (const { closeAt } of scenario.sessions)
        if (happening.at < closeAt - 300_000_000 && (happening.until ?? closeAt) > closeAt - 300_000_000)
          add('halt into the flatten', 1);
  return strikes;
}

const isMidSession = ({ scenario }: Run, at: number): boolean =>
  scenario.sessions.some(({ openAt, closeAt }) => at > openAt && at < closeAt);
