import { expect } from 'chai';
import fc from 'fast-check';
import { qty } from '../../lib/domain/money.ts';
import {
  type Duration,
  after as later,
  type Micros,
  millis,
  minutes,
  seconds,
} from '../../lib/domain/time.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../lib/engine/settings.ts';
import type { SubmitOutcome } from '../../lib/ports/broker.ts';
import { CAUSE, entry, exit, NOTHING, gatewayWorld as world } from './gateway-stand.ts';
import { accepted, brokerIdOf, failure, intentOf, orderFor, reportOn, SPY, START } from './support.ts';

describe('gateway', () => {
  it('writes an intent to the journal before it leaves', async () => {
    const { broker, submit, run, codes } = world();
    submit(entry(1));
    await run(0);
    expect(broker.asked.slice(0, 2)).to.deep.equal(['journal request', `submit ${entry(1).clientOrderId}`]);
    expect(codes()).to.deep.equal(['accepted']);
  });

  it('without a journal entries are denied and exits go', async () => {
    const { submit, run, submits, codes, lines } = world({
      journal: { append: () => Promise.reject(new Error('disk full')) },
    });
    submit(entry(1));
    submit(exit(2));
    await run(1);
    expect(submits()).to.deep.equal([`submit ${exit(2).clientOrderId}`]);
    expect(codes()).to.include('denied journalFailed');
    expect(lines.some(({ event, level }) => event === 'journal.failed' && level === 'error')).to.equal(true);
  });

  it('an exit waits for its record as well, while the disk answers', async () => {
    const slow = (): Promise<void> =>
      new Promise((resolve) => {
        clock.at(later(START, millis(100)), () => {
          broker.asked.push('written');
          resolve();
        });
      });
    const { clock, broker, submit, run } = world({ journal: { append: slow } });
    submit(exit(1));
    await run(1);
    expect(broker.asked.slice(0, 2)).to.deep.equal(['written', `submit ${exit(1).clientOrderId}`]);
  });

  it('an exit does not wait for a disk that hangs', async () => {
    const { submit, run, submits } = world({ journal: { append: () => new Promise(() => undefined) } });
    submit(entry(1));
    submit(exit(2));
    await run(1);
    expect(submits()).to.deep.equal([`submit ${exit(2).clientOrderId}`]);
  });

  it('an unknown outcome is looked up, never posted again', async () => {
    const { broker, submit, run, submits, codes } = world();
    broker.onSubmit = () => ({ kind: 'unknown', failure: failure('timeout') });
    broker.onLookup = () => ({ kind: 'found', order: orderFor(entry(1), 'new') });
    submit(entry(1));
    await run(120);
    expect(submits()).to.have.length(1);
    expect(codes()).to.deep.equal(['accepted']);
  });

  it('a 429 sends the same intent again after the reset, flatten first', async () => {
    const { broker, submit, run, submits } = world();
    const resetAt = later(START, seconds(20));
    const answers: SubmitOutcome[] = [{ kind: 'notSent', failure: failure('rateLimited', resetAt) }];
    broker.onSubmit = (intent) => answers.shift() ?? accepted(intent);
    submit(exit(1));
    await run(1);
    submit(intentOf('flatten', 2));
    await run(19);
    expect(submits()).to.have.length(1);
    await run(25);
    expect(submits().slice(1)).to.deep.equal([2, 1].map((n) => `submit ${exit(n).clientOrderId}`));
  });

  it('a 429 outlives an entry: it lapses instead of arriving late', async () => {
    const { broker, submit, run, submits, codes } = world();
    broker.onSubmit = () => ({ kind: 'notSent', failure: failure('rateLimited', later(START, seconds(20))) });
    submit(entry(1));
    await run(30);
    expect(submits()).to.have.length(1);
    expect(codes()).to.deep.equal(['expired']);
  });

  it('takes back an entry that has not left', async () => {
    const { bucket, gateway, submit, run, submits, codes } = world();
    bucket.pause(later(START, seconds(3)));
    submit(entry(1));
    gateway.cancel(
      SPY,
      { kind: 'cancel', clientOrderId: entry(1).clientOrderId, purpose: 'entryStop' },
      CAUSE,
    );
    await run(10);
    expect(submits()).to.deep.equal([]);
    expect(codes()).to.deep.equal(['expired']);
  });

  it('a stop that comes while an entry waits keeps it from leaving', async () => {
    const { bucket, state, submit, run, submits, codes } = world();
    bucket.pause(later(START, seconds(3)));
    submit(entry(1));
    state.stopping = true;
    submit(entry(2));
    submit(exit(3));
    await run(4);
    expect(submits()).to.deep.equal([`submit ${exit(3).clientOrderId}`]);
    expect(codes().filter((code) => code === 'denied stopping')).to.have.length(2);
  });

  it('denies a sell of more than the lane holds, loudly', async () => {
    const { state, submit, run, submits, codes, lines } = world();
    state.held = 9;
    submit(exit(1));
    await run(1);
    expect(submits()).to.deep.equal([]);
    expect(codes()).to.deep.equal(['denied oversell']);
    expect(lines.find(({ event }) => event === 'order.denied')?.level).to.equal('error');
  });

  it('a held-shares refusal cancels our own order in the way', async () => {
    const { broker, tracker, submit, run, codes } = world();
    const resting = exit(1);
    submit(resting);
    await run(0);
    tracker.heard(reportOn(resting, 'new'));
    broker.onSubmit = () => ({
      kind: 'rejected',
      refusal: {
        code: 'heldShares',
        brokerCode: 40_310_000,
        text: 'insufficient qty',
        available: qty(0),
        relatedOrders: [brokerIdOf(resting.clientOrderId)],
      },
    });
    submit(intentOf('flatten', 2));
    await run(1);
    expect(codes()).to.include('rejected heldShares');
    expect(broker.asked).to.include(`cancel ${brokerIdOf(resting.clientOrderId)}`);
  });

  it('a held-shares refusal leaves orders of others alone, and says so', async () => {
    const { broker, submit, run, codes } = world();
    broker.onSubmit = () => ({
      kind: 'rejected',
      refusal: {
        code: 'heldShares',
        brokerCode: 40_310_000,
        text: 'insufficient qty',
        available: qty(0),
        relatedOrders: ['theirs' as never],
      },
    });
    submit(intentOf('flatten', 2));
    await run(1);
    expect(codes()).to.deep.equal(['rejected heldByOthers']);
    expect(broker.asked.some((line) => line.startsWith('cancel'))).to.equal(false);
  });

  it('says how long flattening everything would take, and stops entries when that no longer fits', async () => {
    const { gateway, state, submit, run, submits, codes } = world({ limit: 100 });
    state.needs = { ...NOTHING, cancels: 100, sells: 100 };
    expect(gateway.forecastFlatten(START).time).to.equal(
      minutes(1) + DEFAULT_ENGINE_SETTINGS.gateway.rungTime,
    );
    state.closeAt = later(START, minutes(2));
    submit(entry(1));
    expect(codes()).to.deep.equal(['denied noTimeToFlatten']);
    state.needs = NOTHING;
    submit(entry(2));
    await run(1);
    expect(submits()).to.deep.equal([`submit ${entry(2).clientOrderId}`]);
  });

  it('entries stop at the very microsecond at which flattening does not fit any more', async () => {
    const { gateway, state, submit, run, codes } = world({ limit: 100 });
    state.needs = { ...NOTHING, cancels: 30, sells: 30 };
    const { flattenMargin } = DEFAULT_ENGINE_SETTINGS.gateway;
    const need = gateway.forecastFlatten(START, 1).time + flattenMargin;
    state.closeAt = later(START, need as Duration);
    submit(entry(1));
    state.closeAt = later(START, (need - 1) as Duration);
    submit(entry(2));
    await run(0);
    expect(codes()).to.have.members(['denied noTimeToFlatten', 'accepted']);
  });

  it('nothing but cancels goes into a halt: an entry is denied, a sell is given back without an alarm', async () => {
    const { state, gateway, tracker, submit, run, submits, codes, broker } = world();
    submit(exit(1));
    await run(0);
    tracker.heard(reportOn(exit(1), 'new'));
    state.halted = true;
    submit(entry(2));
    submit(intentOf('flatten', 3));
    gateway.cancel(SPY, { kind: 'cancel', clientOrderId: exit(1).clientOrderId, purpose: 'flatten' }, CAUSE);
    await run(1);
    expect(submits()).to.have.length(1);
    expect(codes()).to.have.members(['accepted', 'denied halted', 'expired']);
    expect(broker.asked).to.include(`cancel ${brokerIdOf(exit(1).clientOrderId)}`);
  });

  it('posts every intent at most once unless a 429 proves it was not taken, within the limit, exits never starving', async () => {
    const outcomes = fc.array(fc.constantFrom('accepted', 'unknown', 'notSent', 'rejected'), {
      minLength: 1,
      maxLength: 30,
    });
    const purposes = fc.array(fc.constantFrom('entry', 'exit', 'flatten'), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(outcomes, purposes, async (script, wanted) => {
        const { clock, broker, submit, run, submits } = world({ limit: 20 });
        const sentAt: Micros[] = [];
        const taken = new Set<string>();
        let n = 0;
        broker.onSubmit = (intent) => {
          sentAt.push(clock.now());
          expect(taken.has(intent.clientOrderId), 'no second post of an order that may exist').to.equal(
            false,
          );
          const kind = script[n % script.length];
          n += 1;
          if (kind === 'notSent' && n < 60) return { kind: 'notSent', failure: failure('rateLimited') };
          taken.add(intent.clientOrderId);
          if (kind === 'unknown') return { kind: 'unknown', failure: failure('timeout') };
          return kind === 'rejected'
            ? {
                kind: 'rejected',
                refusal: { code: 'other', brokerCode: null, text: 'no', available: null, relatedOrders: [] },
              }
            : accepted(intent);
        };
        wanted.forEach((purpose, index) => {
          submit(purpose === 'entry' ? entry(index) : intentOf(purpose, index));
        });
        await run(1_800);
        for (const [index, purpose] of wanted.entries())
          if (purpose !== 'entry')
            expect(taken.has(entry(index).clientOrderId), `${purpose} ${index} left`).to.equal(true);
        expect(submits().length).to.equal(sentAt.length);
        for (let i = 20; i < sentAt.length; i += 1)
          expect((sentAt[i] ?? 0) - (sentAt[i - 20] ?? 0)).to.be.at.least(60_000_000);
      }),
      { numRuns: 30 },
    );
  });
});
