import type { Ticker } from '../../lib/domain/ids.ts';
import type { Session } from '../../lib/domain/session.ts';
import { after, before, type Micros, micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import type { Random } from '../../lib/sim/random.ts';
import type { Happening } from './scenario.ts';

type Stage = {
  readonly symbols: readonly Ticker[];
  readonly sessions: readonly Session[];
  readonly calmFrom: readonly Micros[];
  readonly severity: number;
};

/** What happens at its own instant, in order of time. Everything is over when the faults stop, but for a late halt. */
export function drawHappenings(random: Random, stage: Stage): readonly Happening[] {
  const found = stage.sessions.flatMap((session, index) =>
    drawSession(random.fork(session.day), stage, session, stage.calmFrom[index] ?? session.closeAt),
  );
  return found.sort((a, b) => a.at - b.at);
}

function drawSession(
  random: Random,
  { symbols, severity }: Stage,
  session: Session,
  calmFrom: Micros,
): readonly Happening[] {
  const found: Happening[] = [];
  const from = before(session.openAt, seconds(30));
  const instant = (): Micros => micros(Math.round(random.between(from, calmFrom)));
  const symbol = (): Ticker => symbols[random.integer(0, symbols.length - 1)] as Ticker;
  const some = (): Ticker | null => (random.chance(0.5) ? symbol() : null);
  /** So long after, but never beyond the end of the faults. */
  const until = (at: Micros, low: number, high: number): Micros =>
    Math.min(after(at, millis(Math.round(random.between(low, high) * 1_000))), calmFrom) as Micros;
  const often = (share: number, most: number, make: (at: Micros) => void): void => {
    if (!random.chance(share * severity)) return;
    for (let left = random.integer(1, most); left > 0; left -= 1) make(instant());
  };

  often(0.25, 3, (at) => found.push({ at, kind: 'cut', stream: 'data', until: until(at, 0, 60) }));
  often(0.25, 3, (at) => found.push({ at, kind: 'cut', stream: 'trading', until: until(at, 0, 60) }));
  often(0.15, 3, (at) => found.push({ at, kind: 'halt', symbol: symbol(), until: until(at, 2, 400) }));
  often(0.1, 2, (at) => found.push({ at, kind: 'rateStorm' }));
  often(0.1, 2, (at) =>
    found.push({
      at,
      kind: 'brokerDown',
      until: until(at, 1, 180),
      how: random.pick(['silence', 'reset', 'badGateway']),
    }),
  );
  often(0.12, 2, (at) => found.push({ at, kind: 'diskFull', until: until(at, 1, 150) }));
  often(0.12, 2, (at) =>
    found.push({ at, kind: 'diskSlow', until: until(at, 5, 200), delay: millis(random.integer(20, 3_000)) }),
  );
  often(0.2, 3, (at) =>
    found.push({
      at,
      kind: 'laneDies',
      symbol: symbol(),
      code: random.pick(['threw', 'exited', 'outOfMemory']),
    }),
  );
  often(0.15, 3, (at) => found.push({ at, kind: 'laneHangs', symbol: symbol() }));
  often(0.06, 2, (at) => {
    const which = some();
    found.push({ at, kind: 'pause', symbol: which });
    if (random.chance(0.8))
      found.push({ at: until(at, 5, 300), kind: 'resume', symbol: which, clearLatches: false });
  });
  often(0.06, 2, (at) => {
    const which = some();
    found.push({ at, kind: 'flatten', symbol: which });
    if (random.chance(0.8))
      found.push({ at: until(at, 5, 300), kind: 'resume', symbol: which, clearLatches: false });
  });
  often(0.12, 1, (at) => {
    found.push({ at, kind: 'kill' });
    if (random.chance(0.5))
      found.push({ at: until(at, 30, 400), kind: 'resume', symbol: null, clearLatches: true });
  });
  often(0.06, 1, (at) => {
    const which = symbol();
    found.push({ at, kind: 'foreignShares', symbol: which, qty: random.integer(1, 300) });
    if (random.chance(0.5)) found.push({ at: until(at, 30, 300), kind: 'adopt', symbol: which });
  });
  often(0.08, 1, (at) =>
    found.push({ at, kind: 'foreignOrder', symbol: symbol(), qty: random.integer(1, 50) }),
  );
  often(0.1, 4, (at) => found.push({ at, kind: 'cancelByHand', symbol: symbol() }));
  often(0.1, 4, (at) => found.push({ at, kind: 'replaceByHand', symbol: symbol() }));
  often(0.1, 4, (at) =>
    found.push({
      at,
      kind: 'endByVenue',
      symbol: symbol(),
      how: random.pick(['expired', 'done_for_day', 'canceled', 'rejected', 'suspended']),
    }),
  );
  if (random.chance(0.05 * severity)) found.push(lateHalt(random, session, symbol()));
  return found;
}

/** A halt that holds shares back from the flatten; most of them resume in time. */
function lateHalt(random: Random, { closeAt }: Session, symbol: Ticker): Happening {
  const flattenAt = before(closeAt, minutes(5));
  const at = micros(Math.round(random.between(before(flattenAt, minutes(2)), after(flattenAt, seconds(20)))));
  const until = random.chance(0.2) ? null : before(closeAt, seconds(random.integer(70, 200)));
  return { at, kind: 'halt', symbol, until };
}
