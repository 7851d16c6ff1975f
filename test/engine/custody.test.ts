import { expect } from 'chai';
import fc from 'fast-check';
import { qty } from '../../lib/domain/money.ts';
import { after as later, millis, seconds } from '../../lib/domain/time.ts';
import { CustodyWorld, type Hits, noHits, symbolAt } from './custody-world.ts';
import { settle } from './support.ts';

type Act = (world: CustodyWorld, pick: number) => void | Promise<void>;

const HAPPENINGS = {
  bar: (world, pick) => world.bar(symbolAt(pick)),
  work: (world, pick) => world.lanes.work(symbolAt(pick)),
  hear: (world, pick) => world.hear(symbolAt(pick)),
  read: (world, pick) => world.read(symbolAt(pick)),
  request: (world, pick) => world.settleRequest(pick),
  fill: (world, pick) => world.fill(symbolAt(pick), 1 + (pick % 30)),
  obeyCancel: (world, pick) => world.obeyCancels(symbolAt(pick)),
  report: (world, pick) => world.report(symbolAt(pick)),
  poll: (world, pick) => world.poll(symbolAt(pick)),
  /** What the lane had said is read before its end is known; or it never left the thread. */
  die: (world, pick) => world.die(symbolAt(pick), pick % 3 === 0),
  hang: (world, pick) => world.hang(symbolAt(pick)),
  /** Too late, or in time: it goes on where it was. */
  wakeUp: (world, pick) => world.lanes.hang(symbolAt(pick), false),
  release: (world, pick) => world.lanes.release(symbolAt(pick)),
  arrive: (world, pick) => world.lanes.arrive(pick % 8 === 0),
  /** A stretch in which everything works. */
  flow: (world, pick) => world.flow(symbolAt(pick)),
  tick: (world, pick) => world.pass(millis(250 * (pick % 5))),
  wait: (world, pick) => world.pass(seconds(30 + (pick % 120))),
} satisfies Record<string, Act>;

const WEIGHTS: Readonly<Record<keyof typeof HAPPENINGS, number>> = {
  bar: 4,
  work: 4,
  hear: 4,
  read: 6,
  request: 5,
  fill: 5,
  obeyCancel: 2,
  report: 6,
  poll: 1,
  die: 2,
  hang: 2,
  wakeUp: 1,
  release: 3,
  arrive: 5,
  flow: 8,
  tick: 6,
  wait: 1,
};

const happenings = fc.array(
  fc.record({
    what: fc.oneof(
      ...Object.entries(WEIGHTS).map(([what, weight]) => ({
        arbitrary: fc.constant(what as keyof typeof HAPPENINGS),
        weight,
      })),
    ),
    pick: fc.nat(1_000),
  }),
  { minLength: 40, maxLength: 200 },
);

describe('custody of shares, whatever becomes of the threads', function () {
  this.timeout(60_000);

  async function play(
    hits: Hits,
    lossesMax: number,
    story: readonly { readonly what: keyof typeof HAPPENINGS; readonly pick: number }[],
  ): Promise<void> {
    const world = new CustodyWorld(hits, lossesMax);
    await world.open();
    for (const { what, pick } of story) {
      await HAPPENINGS[what](world, pick);
      await settle();
      world.check();
    }
    await world.comeToRest();
    expect(world.isAtRest(), 'comes to rest, flat').to.equal(true);
    hits.calledOff += world.count('lane.handover.calledOff');
    hits.givenBack += world.count('lane.givenBack');
    hits.startFailed += world.count('lane.start.failed');
    await world.supervisor.stop();
  }

  it('one owner at a time, no order twice, nothing short, and flat in the end', async () => {
    const hits = noHits();
    await fc.assert(
      fc.asyncProperty(happenings, (story) => play(hits, 1_000, story)),
      { numRuns: 150 },
    );
    const { retired: _, calledOff: __, ...expected } = hits;
    for (const [what, times] of Object.entries(expected)) expect(times, what).to.be.above(0);
  });

  it('the same when lanes are lost too often to get a thread again', async () => {
    const hits = noHits();
    await fc.assert(
      fc.asyncProperty(happenings, (story) => play(hits, 2, story)),
      { numRuns: 60 },
    );
    expect(hits.retired).to.be.above(0);
  });

  it('shares that turn up while a new thread is on its way are sold by the custodian', async () => {
    const hits = noHits();
    const world = new CustodyWorld(hits, 1_000);
    await world.open();
    const symbol = symbolAt(0);
    world.die(symbol, true);
    await world.pass(seconds(1));
    await settle();
    expect(world.supervisor.ownerOf(symbol)).to.equal('handover');
    world.brokerOf(symbol).shares += 7;
    const at = world.clock.now();
    const averagePx = world.marks().price;
    world.tell(symbol, { kind: 'adopted', at, qty: qty(7), averagePx, heldSince: at });
    expect(world.supervisor.ownerOf(symbol)).to.equal('custodian');
    expect(world.requests.map(({ side, qty: shares }) => [side, shares])).to.deep.equal([['sell', 7]]);
    world.check();
    // The thread comes, and finds that it is not wanted; when all is sold, another one is.
    world.lanes.arrive(false);
    await settle();
    world.lanes.release(symbol);
    world.settleRequest(2);
    world.fill(symbol, 7);
    while (world.brokerOf(symbol).wire.length > 0) world.report(symbol);
    await settle();
    world.lanes.arrive(false);
    await settle();
    expect(world.supervisor.ownerOf(symbol)).to.equal('thread');
    world.check();
    expect(later(at, seconds(1))).to.be.above(world.clock.now());
    await world.supervisor.stop();
  });
});
