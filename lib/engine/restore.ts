import type { Ticker } from '../domain/ids.ts';
import { type Lane, reduceLane } from '../domain/lane.ts';
import type { LaneEvent } from '../domain/lane-types.ts';
import type { GapBody, StoredRecord } from '../ports/journal.ts';
import type { LaneStep } from '../ports/lane-protocol.ts';
import { isUpdatedBar, laneBeginIn, stepIn } from './lane-records.ts';

/**
 * Lanes from the journal of a day.
 *
 * The journal holds, per lane, a snapshot of its state whenever somebody began with it, and every event it was fed since,
 * numbered. An order request carries the event that led to it, because it is written before it leaves and the event's own
 * record only after: a kill in between leaves the request alone behind.
 */
export type FoldedDay = {
  readonly lanes: ReadonlyMap<Ticker, Lane>;
  /** Records that do not read as what they claim to be, and numbers missing in a row of events. */
  readonly damages: readonly string[];
  /** Lanes that the journal does not tell in full: whoever needs to know asks the broker. */
  readonly doubtful: ReadonlySet<Ticker>;
};

type Segment = { lane: Lane; readonly events: Map<number, LaneEvent> };

export function foldDay(
  records: readonly StoredRecord[],
  onStep: (symbol: Ticker, step: LaneStep, after: Lane) => void,
): FoldedDay {
  const segments = new Map<Ticker, Segment>();
  const damages: string[] = [];
  const doubtful = new Set<Ticker>();

  function close(symbol: Ticker, segment: Segment): Lane {
    let { lane } = segment;
    let expected = 1;
    for (const [number, event] of [...segment.events].sort(([a], [b]) => a - b)) {
      if (number !== expected) {
        damages.push(`${symbol}: steps ${expected} to ${number - 1} are missing`);
        doubtful.add(symbol);
      }
      expected = number + 1;
      const [next, commands] = reduceLane(lane, event);
      lane = next;
      onStep(symbol, { event, commands }, lane);
    }
    return lane;
  }

  for (const { id, kind, symbol, body } of records) {
    if (symbol === null) continue;
    const snapshot = kind === 'session' ? (laneBeginIn(body)?.lane ?? null) : null;
    const segment = segments.get(symbol);
    if (snapshot !== null) {
      if (segment !== undefined) close(symbol, segment);
      segments.set(symbol, { lane: snapshot, events: new Map() });
      // Whatever was missed before, this is where the lane stood.
      doubtful.delete(symbol);
    } else if (kind === 'gap') {
      doubtful.add(symbol);
      damages.push(`${symbol}: record ${id} stands for ${lostIn(body)} that could not be written`);
    } else if ((kind === 'input' && !isUpdatedBar(body)) || kind === 'request') {
      const step = stepIn(body);
      if (step === null) {
        damages.push(`record ${id} of ${symbol} is no step`);
        doubtful.add(symbol);
      } else segment?.events.set(step.number, step.event);
    }
  }
  const lanes = new Map([...segments].map(([symbol, segment]) => [symbol, close(symbol, segment)]));
  return { lanes, damages, doubtful };
}

const lostIn = (body: unknown): string => {
  const { records } = (body ?? {}) as Partial<GapBody>;
  return records === 1 ? 'one' : String(records ?? 'some');
};
