import { expect } from 'chai';
import fc from 'fast-check';
import { after as later, type Micros, micros, millis, minutes, seconds } from '../../lib/domain/time.ts';
import {
  createRequestQueue,
  PRIORITIES,
  type Priority,
  type Request,
  type Sending,
} from '../../lib/engine/request-queue.ts';
import { createTokenBucket } from '../../lib/engine/token-bucket.ts';
import { createVirtualClock } from '../../lib/engine/virtual-clock.ts';
import { advance, START } from './support.ts';

const ON_WIRE_MAX = 3;

function world(limit: number, reserve = 0.2) {
  const clock = createVirtualClock(START);
  const bucket = createTokenBucket({ limit, reserve, window: minutes(1) });
  const pauses: Micros[] = [];
  const limits = { waitingMax: 5, onWireMax: ON_WIRE_MAX, pauseUnsaid: seconds(5) };
  const queue = createRequestQueue(clock, bucket, limits, (until) => pauses.push(until));
  const sent: { readonly name: string; readonly at: Micros }[] = [];
  const lapsed: string[] = [];
  const request = (priority: Priority, name: string, over: Partial<Request> = {}): Request => ({
    priority,
    cost: 1,
    expiresAt: null,
    expired: () => void lapsed.push(name),
    send: async (): Promise<Sending> => {
      sent.push({ name, at: clock.now() });
      return { kind: 'answered' };
    },
    ...over,
  });
  const names = (): string[] => sent.map(({ name }) => name);
  return { clock, bucket, queue, sent, lapsed, request, names, pauses };
}

describe('request queue', () => {
  it('sends by strict priority, and in order within one', async () => {
    const { clock, bucket, queue, request, names } = world(100);
    bucket.pause(later(START, seconds(1)));
    const order: readonly Priority[] = ['urgent', 'cancel', 'exit', 'entry', 'query'];
    for (const priority of [...order].reverse())
      for (const n of [1, 2]) queue.add(request(priority, `${priority} ${n}`));
    await advance(clock, later(START, seconds(2)));
    expect(names()).to.deep.equal(order.flatMap((priority) => [`${priority} 1`, `${priority} 2`]));
  });

  it('nobody passes a request that waits for the budget', async () => {
    const { clock, queue, request, names } = world(10);
    for (let n = 0; n < 9; n += 1) queue.add(request('exit', `exit ${n}`));
    await advance(clock, START);
    queue.add(request('query', 'query'));
    queue.add(request('exit', 'late exit', { cost: 5 }));
    await advance(clock, later(START, seconds(59)));
    expect(names()).to.have.length(9);
    await advance(clock, later(START, seconds(61)));
    expect(names().slice(9)).to.deep.equal(['late exit', 'query']);
  });

  it('an entry that waited too long is never sent', async () => {
    const { clock, bucket, queue, request, names, lapsed } = world(10);
    bucket.pause(later(START, seconds(10)));
    queue.add(request('entry', 'old', { expiresAt: later(START, seconds(5)) }));
    queue.add(request('entry', 'young', { expiresAt: later(START, seconds(15)) }));
    await advance(clock, later(START, seconds(20)));
    expect(lapsed).to.deep.equal(['old']);
    expect(names()).to.deep.equal(['young']);
  });

  it('a 429 goes back to the head of its priority and waits for the reset', async () => {
    const { clock, queue, request, sent, names } = world(100);
    const resetAt = later(START, seconds(30));
    let tries = 0;
    const refusedOnce = async (): Promise<Sending> => {
      sent.push({ name: 'first', at: clock.now() });
      tries += 1;
      return tries === 1 ? { kind: 'again', retryAt: resetAt } : { kind: 'answered' };
    };
    queue.add(request('exit', 'first', { send: refusedOnce }));
    await advance(clock, START);
    queue.add(request('exit', 'second'));
    queue.add(request('urgent', 'flatten'));
    await advance(clock, later(START, seconds(40)));
    expect(names()).to.deep.equal(['first', 'flatten', 'first', 'second']);
    expect(sent.slice(1).every(({ at }) => at >= resetAt)).to.equal(true);
  });

  it('tells of a pause once, however many requests were refused for it', async () => {
    const { clock, queue, request, pauses } = world(100);
    const resetAt = later(START, seconds(20));
    for (const name of ['a', 'b', 'c']) {
      let tries = 0;
      const send = async (): Promise<Sending> =>
        tries++ === 0 ? { kind: 'again', retryAt: resetAt } : { kind: 'answered' };
      queue.add(request('exit', name, { send }));
    }
    await advance(clock, later(START, seconds(30)));
    expect(pauses).to.deep.equal([resetAt]);
    expect(queue.idle()).to.equal(true);
  });

  it('what is sent again goes before what came after it', async () => {
    const { clock, queue, request, names, sent } = world(1, 0);
    let tries = 0;
    const refusedOnce = async (): Promise<Sending> => {
      sent.push({ name: 'first', at: clock.now() });
      tries += 1;
      return tries === 1 ? { kind: 'again', retryAt: null } : { kind: 'answered' };
    };
    queue.add(request('exit', 'first', { send: refusedOnce }));
    queue.add(request('exit', 'second'));
    await advance(clock, later(START, minutes(3)));
    expect(names()).to.deep.equal(['first', 'first', 'second']);
  });

  it('takes requests back before they leave, not after', async () => {
    const { clock, bucket, queue, request, names } = world(10);
    bucket.pause(later(START, seconds(1)));
    const entry = request('entry', 'entry');
    queue.add(entry);
    expect(queue.withdraw(entry)).to.equal(true);
    expect(queue.withdraw(entry)).to.equal(false);
    await advance(clock, later(START, seconds(2)));
    expect(names()).to.deep.equal([]);
  });

  it('is bounded for entries and queries, and never for exits', () => {
    const { bucket, queue, request } = world(10);
    bucket.pause(later(START, seconds(100)));
    const taken = Array.from({ length: 8 }, (_, n) => queue.add(request('entry', `${n}`)));
    expect(taken.filter((each) => each)).to.have.length(5);
    expect(
      Array.from({ length: 50 }, (_, n) => queue.add(request('exit', `${n}`))).every((each) => each),
    ).to.equal(true);
  });

  it('queries that hang do not keep exits from leaving', async () => {
    const { clock, queue, request, names } = world(100);
    const hangs = (): Promise<Sending> => new Promise(() => undefined);
    for (let n = 0; n < 5; n += 1) queue.add(request('query', `${n}`, { send: hangs }));
    queue.add(request('exit', 'exit'));
    await advance(clock, START);
    expect(queue.inFlight('query')).to.equal(3);
    expect(names()).to.deep.equal(['exit']);
  });

  it('a query passes entries that wait for room on the wire: that is not the budget', async () => {
    const { clock, queue, request, names } = world(100);
    const hangs = (): Promise<Sending> => new Promise(() => undefined);
    for (let n = 0; n < ON_WIRE_MAX; n += 1) queue.add(request('entry', `${n}`, { send: hangs }));
    queue.add(request('entry', 'entry'));
    queue.add(request('query', 'query'));
    await advance(clock, START);
    expect(names()).to.deep.equal(['query']);
    expect(queue.depth('entry')).to.equal(1);
  });

  it('never sends a lower priority while a higher one waits for the budget, keeps the limit, and loses nothing', async () => {
    // More entries at once than the wire takes, and queries behind them.
    const crowd = (['urgent', 'entry', 'entry', 'entry', 'entry', 'query', 'urgent'] as const).map(
      (priority, n) => ({ priority, gap: 0, refused: n === 0 }),
    );
    const load = fc.array(
      fc.record({
        priority: fc.constantFrom(...PRIORITIES),
        gap: fc.integer({ min: 0, max: 4_000 }),
        refused: fc.boolean(),
      }),
      { minLength: 5, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(load, async (calls) => {
        const { clock, queue, request } = world(10);
        const sent: { at: Micros; priority: Priority }[] = [];
        // Not thrown where they are found: a `send` that rejects is no request any more.
        const passed: string[] = [];
        let added = 0;
        let finished = 0;
        for (const { priority, gap, refused } of calls) {
          await advance(clock, later(clock.now(), millis(gap)));
          let left = refused ? 1 : 0;
          const send = async (): Promise<Sending> => {
            for (const higher of PRIORITIES.slice(0, PRIORITIES.indexOf(priority)))
              if (queue.depth(higher) > 0 && !(higher === 'entry' && queue.inFlight(higher) >= ON_WIRE_MAX))
                passed.push(`${priority} passes ${higher}`);
            sent.push({ at: clock.now(), priority });
            left -= 1;
            if (left >= 0) return { kind: 'again', retryAt: later(clock.now(), seconds(2)) };
            finished += 1;
            return { kind: 'answered' };
          };
          if (queue.add(request(priority, '', { send }))) added += 1;
        }
        await advance(clock, later(clock.now(), minutes(30)));
        expect(passed).to.deep.equal([]);
        expect(finished).to.equal(added);
        expect(queue.idle()).to.equal(true);
        for (let i = 10; i < sent.length; i += 1)
          expect((sent[i]?.at ?? 0) - (sent[i - 10]?.at ?? micros(0))).to.be.at.least(60_000_000);
      }),
      { numRuns: 30, examples: [[crowd]] },
    );
  });
});
