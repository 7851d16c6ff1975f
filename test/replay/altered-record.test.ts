import { expect } from 'chai';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { LaneCommand, LaneEvent } from '../../lib/domain/lane-types.ts';
import { price, tickAt } from '../../lib/domain/money.ts';
import { after as later, minutes } from '../../lib/domain/time.ts';
import { createLaneRunner } from '../../lib/engine/lane-runner.ts';
import type { LaneReplay } from '../../lib/engine/replay.ts';
import type { StoredRecord } from '../../lib/ports/journal.ts';
import { DAY, sessionOf, startDay } from '../engine/simulated-day.ts';
import { faultsOf, replayed } from './recorded-day.ts';

const SHORT = sessionOf('09:30', '10:30');
const SYMBOLS = ['SPY', 'BAC', 'F'] as Ticker[];

type Body = { readonly step: number; readonly event: LaneEvent; readonly commands: readonly LaneCommand[] };
const bodyOf = ({ body }: StoredRecord): Body => body as Body;

/** The day with one record changed by hand. */
function altered(
  records: readonly StoredRecord[],
  index: number,
  change: (body: Body) => unknown,
): readonly StoredRecord[] {
  return records.map((record, at) =>
    at === index ? { ...record, body: change(structuredClone(bodyOf(record))) } : record,
  );
}

describe('replay: what does not follow from the records', function () {
  this.timeout(60_000);
  let records: readonly StoredRecord[] = [];

  before(async () => {
    const day = await startDay({ seed: 3, session: SHORT, symbols: SYMBOLS, printsPerDay: 4_000 });
    await day.runTo(later(SHORT.openAt, minutes(40)));
    await day.restart();
    await day.finish();
    records = await day.journal.read(DAY);
    expect(faultsOf(replayed(records))).to.deep.equal([]);
  });

  const where = (fits: (record: StoredRecord) => boolean, nth = 0): number => {
    const found = records.flatMap((record, index) => (fits(record) ? [index] : []));
    const index = found[nth];
    if (index === undefined) throw new Error(`the day has such a record: ${found.length} found`);
    return index;
  };
  const recordAt = (index: number): StoredRecord => {
    const record = records[index];
    if (record === undefined) throw new Error(`the day has a record ${index}`);
    return record;
  };
  const hasSubmit = ({ kind, body }: StoredRecord, purpose: string): boolean =>
    kind === 'decision' &&
    (body as Body).commands.some(
      (command) => command.kind === 'submit' && command.intent.purpose === purpose,
    );
  /** The input of the step that a decision belongs to. */
  const inputOf = (decision: number): number => {
    const { symbol, body } = recordAt(decision);
    return records.findLastIndex(
      (record, index) =>
        index < decision &&
        record.kind === 'input' &&
        record.symbol === symbol &&
        bodyOf(record).step === (body as Body).step,
    );
  };
  /** Only the symbol of the changed record differs; all others are as they were. */
  function onlyDifference(changed: readonly StoredRecord[], index: number): LaneReplay {
    const { symbol } = recordAt(index);
    const { lanes } = replayed(changed);
    expect(lanes.filter(({ difference }) => difference !== null).map((lane) => lane.symbol)).to.deep.equal([
      symbol,
    ]);
    const lane = lanes.find((each) => each.symbol === symbol);
    if (lane === undefined) throw new Error(`the day has the lane: ${symbol}`);
    return lane;
  }

  for (const purpose of ['entry', 'exit'])
    it(`is found at the decision: another quantity of an ${purpose}`, () => {
      const index = where((record) => hasSubmit(record, purpose), 2);
      const changed = altered(records, index, (body) => ({
        ...body,
        commands: body.commands.map((command) =>
          command.kind === 'submit'
            ? { ...command, intent: { ...command.intent, qty: command.intent.qty + 1 } }
            : command,
        ),
      }));
      const { difference } = onlyDifference(changed, index);
      expect(difference).to.include({ kind: 'commands', decision: recordAt(index).id });
      expect(difference?.record).to.equal(recordAt(inputOf(index)).id);
      expect(difference?.path).to.match(/^\[\d\]\.intent\.qty$/);
      expect(difference?.recorded).to.have.length(difference?.replayed.length ?? 0);
    });

  it('is found at the decision: a command too many, and a decision that is gone', () => {
    const index = where((record) => hasSubmit(record, 'exit'), 1);
    const alarm = { kind: 'alarm', code: 'madeUp', detail: '' };
    const added = altered(records, index, (body) => ({ ...body, commands: [...body.commands, alarm] }));
    expect(onlyDifference(added, index).difference).to.include({
      kind: 'commands',
      decision: recordAt(index).id,
    });
    const removed = records.filter((_, at) => at !== index);
    expect(onlyDifference(removed, index).difference).to.include({
      kind: 'commands',
      record: recordAt(inputOf(index)).id,
      decision: null,
    });
  });

  it('is found at the input: another mark under an entry', () => {
    const decision = where((record) => hasSubmit(record, 'entry'), 1);
    const index = inputOf(decision);
    const changed = altered(records, index, (body) => {
      const { mark } = body.event;
      return { ...body, event: { ...body.event, mark: mark && { ...mark, price: mark.price + 100 } } };
    });
    const { difference } = onlyDifference(changed, index);
    expect(difference).to.include({ kind: 'commands', record: recordAt(index).id });
  });

  it('is found at the input: another close of the bar that crossed, and another signal', () => {
    const index = where(
      ({ kind, body }) =>
        kind === 'input' &&
        (body as Body).event?.kind === 'barClosed' &&
        'signal' in (body as Body).event &&
        ((body as Body).event as { signal: string }).signal === 'enter',
      1,
    );
    const lower = altered(records, index, (body) =>
      body.event.kind === 'barClosed'
        ? { ...body, event: { ...body.event, bar: { ...body.event.bar, close: 100 } } }
        : body,
    );
    expect(onlyDifference(lower, index).difference).to.include({
      kind: 'signal',
      record: recordAt(index).id,
    });
    const unsaid = altered(records, index, (body) => ({ ...body, event: { ...body.event, signal: 'none' } }));
    expect(onlyDifference(unsaid, index).difference).to.include({
      kind: 'signal',
      record: recordAt(index).id,
    });
  });

  it('is found at the request: one that says something else than the decision', () => {
    const index = where(
      ({ kind, body }) => kind === 'request' && (body as { what: string }).what === 'submit',
      3,
    );
    const changed = altered(records, index, (body) => {
      const { intent } = body as unknown as { intent: { qty: number } };
      return { ...body, intent: { ...intent, qty: intent.qty + 1 } };
    });
    expect(onlyDifference(changed, index).difference).to.include({
      kind: 'request',
      record: recordAt(index).id,
    });
  });

  it('is found at the begin: another state than the steps before led to', () => {
    const index = where(
      ({ kind, symbol, body }) =>
        kind === 'session' && symbol === 'F' && (body as { what: string }).what === 'lane',
      1,
    );
    const changed = altered(records, index, (body) => {
      const { lane } = body as unknown as { lane: { day: { realized: number } } };
      return { ...body, lane: { ...lane, day: { ...lane.day, realized: lane.day.realized + 1 } } };
    });
    const { difference } = onlyDifference(changed, index);
    expect(difference).to.include({ kind: 'state', record: recordAt(index).id, path: 'day.realized' });
  });

  it('is told: a step that is missing, and records that are none', () => {
    const index = where(({ kind, symbol }) => kind === 'input' && symbol === 'F', 30);
    const { lanes } = replayed(records.filter((_, at) => at !== index));
    const lane = lanes.find(({ symbol }) => symbol === 'F');
    expect(lane?.gaps).to.have.length(1);
    expect(lane?.difference).to.equal(null);
    expect(lane?.notCompared).to.be.greaterThan(0);
    const junk = altered(records, index, () => ({ step: 'x' }));
    expect(replayed(junk).damages).to.deep.equal([`record ${recordAt(index).id} of F is no step`]);
  });

  it('a runner with a fault is found at the first decision that shows it', () => {
    /** Exits a tick too high. */
    const faulty: typeof createLaneRunner = (start, strategy, marks) => {
      const runner = createLaneRunner(start, strategy, marks);
      const offByOne = (command: LaneCommand): LaneCommand => {
        if (command.kind !== 'submit') return command;
        const { intent } = command;
        if (intent.purpose !== 'exit' || intent.price.type !== 'limit') return command;
        const limit = price(intent.price.limit + tickAt(intent.price.limit));
        return { kind: 'submit', intent: { ...intent, price: { type: 'limit', limit } } };
      };
      return {
        ...runner,
        feed: (input) =>
          runner.feed(input).map(({ event, commands }) => ({ event, commands: commands.map(offByOne) })),
      };
    };
    const { lanes } = replayed(records, { createRunner: faulty });
    for (const { symbol, difference, notCompared } of lanes) {
      const first = records.find((record) => record.symbol === symbol && hasSubmit(record, 'exit'));
      expect(difference, symbol).to.include({
        kind: 'commands',
        decision: first?.id,
        path: '[0].intent.price.limit',
      });
      expect(difference?.before.stage.kind).to.equal('entering');
      expect(notCompared).to.be.greaterThan(0);
    }
    /** Throws when a report comes. */
    const throwing: typeof createLaneRunner = (start, strategy, marks) => ({
      ...createLaneRunner(start, strategy, marks),
      feed(input) {
        if (input.kind === 'reported') throw new RangeError('no reports');
        return createLaneRunner(start, strategy, marks).feed(input);
      },
    });
    for (const { difference } of replayed(records, { createRunner: throwing }).lanes)
      expect(['threw', 'bar', 'commands']).to.include(difference?.kind);
  });
});
