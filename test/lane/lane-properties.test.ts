import { expect } from 'chai';
import fc from 'fast-check';
import { nextWakeAt, ordersOf, reduceLane, sharesHeld } from '../../lib/domain/lane.ts';
import { after as later, type Micros, minutes, seconds } from '../../lib/domain/time.ts';
import { REJECTED } from './model-broker.ts';
import { at, Story, submits, usd } from './story.ts';
import { happenings, World } from './world.ts';

describe('a lane under lost, late, repeated and reordered reports', () => {
  it('is never short, keeps one order, books what was executed, and comes to rest flat', () => {
    const stages = new Set<string>();
    let trips = 0;
    fc.assert(
      fc.property(happenings, (list) => {
        const world = new World();
        for (const happening of list) world.happen(happening);
        world.comeToRest();
        expect(world.isAtRest(), 'at rest').to.equal(true);
        expect(world.broker.shares, 'flat at the broker').to.equal(0);
        expect(sharesHeld(world.lane), 'flat by its own books').to.equal(0);
        for (const stage of world.stagesSeen) stages.add(stage);
        trips += world.commands.filter(({ kind }) => kind === 'roundTripClosed').length;
      }),
      { numRuns: 150 },
    );
    expect([...stages].sort()).to.deep.equal(
      ['clearing', 'entering', 'exiting', 'exposed', 'flat', 'liquidating'],
      'every stage was reached',
    );
    expect(trips).to.be.greaterThan(25);
  });

  it('accounts for every cent once the broker was asked to the end', () => {
    fc.assert(
      fc.property(happenings, (list) => {
        const world = new World();
        for (const happening of list) world.happen(happening);
        world.comeToRest();
        let pnl = 0;
        for (const { intent, cumNotional } of world.broker.books.values())
          pnl += intent.side === 'sell' ? cumNotional : -cumNotional;
        // Executions that only arrive now replace what was inferred, and change no share.
        for (const report of world.broker.wire.splice(0)) world.tell({ kind: 'reported', report });
        for (const { intent } of ordersOf(world.lane)) {
          const report = world.broker.query(intent.clientOrderId, world.now);
          if (report !== null) world.tell({ kind: 'reported', report });
        }
        expect(world.lane.day.realized).to.equal(pnl);
        expect(sharesHeld(world.lane)).to.equal(0);
      }),
      { numRuns: 100 },
    );
  });

  it('does nothing before the instant it asked to be woken at', () => {
    fc.assert(
      fc.property(happenings, fc.nat(1_000), (list, part) => {
        const world = new World();
        for (const happening of list) {
          world.happen(happening);
          const wake = nextWakeAt(world.lane) ?? later(world.lane.at, seconds(3_600));
          const early = (world.lane.at + Math.floor(((wake - world.lane.at - 1) * part) / 1_000)) as Micros;
          const [, commands] = reduceLane(world.lane, {
            kind: 'woke',
            at: early,
            mark: { price: usd(100), at: early },
          });
          expect(commands).to.deep.equal([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('paces itself when whatever it sends ends at once', () => {
    const blow = fc.constantFrom(
      'rejectedByAnswer',
      'rejected',
      'canceled',
      'expired',
      'done_for_day',
      'absent',
    );
    fc.assert(
      fc.property(fc.array(blow, { minLength: 1, maxLength: 20 }), (blows) => {
        const story = new Story({ now: at('10:00') });
        story.buy();
        let answered = 1;
        for (let minute = 0; minute < 30; minute += 1) {
          for (let sent = submits(story.commands); answered < sent.length; sent = submits(story.commands)) {
            const intent = sent[answered];
            const how = blows[answered % blows.length] ?? 'canceled';
            answered += 1;
            if (intent === undefined) break;
            if (how === 'absent') story.verdict(intent, { kind: 'absent' });
            else if (how === 'rejectedByAnswer') story.verdict(intent, REJECTED);
            else story.report(intent, how);
          }
          story.pass(later(story.now, minutes(1)));
        }
        // A pause doubles from 2 s to a minute: six sells in the first minute, one a minute later on.
        expect(answered).to.be.within(25, 40);
        expect(story.held).to.equal(20);
      }),
      { numRuns: 12 },
    );
  });
});
