import { expect } from 'chai';
import { DEATHS, type Death } from '../../bench/deaths/mortal.ts';
import { dieOfAllocation } from '../../bench/deaths/restart.ts';
import { type Happening, openStand, type Stand } from '../../bench/deaths/stand.ts';
import { startEngine } from '../../bench/parts/exit-engine.ts';
import type { Ticker } from '../../lib/domain/ids.ts';
import type { EndReport } from '../../lib/engine/engine-types.ts';

/** Each costs its thread; the allocation, which costs the process, is told of elsewhere. */
const WAYS = (Object.keys(DEATHS) as Death[]).filter((death) => death !== 'allocation');
const SPEED = 60;
/** What a lane knows of its 20 shares when it dies: the first part, or all when its bar was slow to come. */
const HELD = [8, 20];

/** By what code the main thread may know it. A loop that eats memory is found by whichever comes first. */
const CODES: Readonly<Record<Death, readonly string[]>> = {
  throw: ['threw'],
  reject: ['threw'],
  exit: ['exited'],
  heap: ['outOfMemory', 'stalled'],
  stack: ['threw'],
  loop: ['stalled'],
  wait: ['stalled'],
  child: ['stalled'],
  allocation: [],
};

describe('real threads that die with shares in hand', function () {
  this.timeout(120_000);
  let stand: Stand;
  let stop: (() => Promise<EndReport>) | null = null;

  afterEach(async () => {
    await stop?.();
    stop = null;
    await stand.close();
  });

  async function start(lanes: number, maxThreads = lanes): Promise<void> {
    stand = await openStand(lanes, SPEED);
    stop = await startEngine(stand.url, stand.symbols, SPEED, {
      strategy: stand.strategy,
      maxThreads,
      onLine: (event, fields) =>
        stand.heard({
          kind: 'line',
          event,
          symbol: fields.symbol === undefined ? null : String(fields.symbol),
          fields,
        }),
    });
  }

  const linesOf = (event: string): readonly Extract<Happening, { kind: 'line' }>[] =>
    stand.happenings.flatMap((each) => (each.kind === 'line' && each.event === event ? [each] : []));
  /** A machine that gives a thread no turn makes it look stalled: that is harmless, and not what is asked here. */
  const lossesAmong = (symbols: readonly Ticker[]): readonly unknown[] =>
    linesOf('lane.lost')
      .filter(({ symbol, fields }) => fields.code !== 'stalled' && symbols.some((each) => each === symbol))
      .map(({ fields }) => fields.code);
  const allIn = (symbols: readonly Ticker[], phase: string): boolean =>
    symbols.every((symbol) => stand.phaseOf(symbol) === phase);

  async function endFlat(): Promise<void> {
    const report = await stop?.();
    stop = null;
    expect(report?.open).to.deep.equal([]);
    expect(report?.discrepancies).to.deep.equal([]);
    expect(await stand.books()).to.deep.equal({ kind: 'books', wrong: [], open: [] });
  }

  it('in every way there is: noticed, sold by the custodian, given back; the others trade on', async () => {
    await start(WAYS.length + 2);
    const victims = stand.symbols.slice(0, WAYS.length);
    const others = stand.symbols.slice(WAYS.length);
    await stand.until(() => allIn(stand.symbols, 'part'));
    for (const [index, symbol] of victims.entries()) stand.condemn(symbol, WAYS[index] as Death);
    await stand.until(() =>
      victims.every((symbol) => linesOf('lane.lost').some((line) => line.symbol === symbol)),
    );
    await stand.until(() =>
      victims.every((symbol) => linesOf('lane.givenBack').some((line) => line.symbol === symbol)),
    );

    for (const [index, symbol] of victims.entries()) {
      const lost = linesOf('lane.lost').filter((line) => line.symbol === symbol);
      expect(lost[0]?.fields.shares, symbol).to.be.oneOf(HELD);
      expect(CODES[WAYS[index] as Death], `${WAYS[index]}: ${lost[0]?.fields.text}`).to.include(
        lost[0]?.fields.code,
      );
    }
    expect(lossesAmong(others)).to.deep.equal([]);
    await endFlat();
  });

  it('packed: a thread takes all its lanes along, and no other', async () => {
    await start(4, 2);
    const [condemned, neighbor, ...others] = stand.symbols as [Ticker, Ticker, ...Ticker[]];
    await stand.until(() => allIn(stand.symbols, 'part'));
    stand.condemn(condemned, 'exit');
    await stand.until(() =>
      [condemned, neighbor].every((symbol) =>
        linesOf('lane.givenBack').some((line) => line.symbol === symbol),
      ),
    );
    for (const symbol of [condemned, neighbor]) {
      expect(lossesAmong([symbol]), symbol).to.deep.equal(['exited']);
      expect(linesOf('lane.lost').find((line) => line.symbol === symbol)?.fields.shares).to.be.oneOf(HELD);
    }
    expect(lossesAmong(others)).to.deep.equal([]);
    await stand.until(() => allIn(others, 'part'));
    await endFlat();
  });
});

describe('a process that one allocation takes down', () => {
  it('is started again, finds the shares, and sells them once', async function () {
    this.timeout(120_000);
    const { signal, exitMs, open, books } = await dieOfAllocation(3, SPEED, 100_000);
    expect(signal).to.equal('SIGABRT');
    expect(exitMs).to.not.deep.equal([]);
    expect(open).to.deep.equal([]);
    expect(books).to.deep.equal({ kind: 'books', wrong: [], open: [] });
  });
});
