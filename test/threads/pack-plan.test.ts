import { expect } from 'chai';
import fc from 'fast-check';
import { capThreads, packEvenly, planThreads } from '../../lib/adapters/threads/pack-plan.ts';
import { openFilesOf } from '../../lib/adapters/threads/process-limits.ts';

const ROOMY = { openFiles: 20_000, memoryBytes: 64 * 2 ** 30 };

describe('pack plan', () => {
  it('gives each lane a thread while there is room', () => {
    const plan = planThreads(50, capThreads(null, ROOMY));
    expect(plan).to.include({ threads: 50, lanesPerThreadMax: 1, sentence: '50 lanes, a thread each' });
  });

  it('packs what the usual limit of open files does not carry, and says so', () => {
    const cap = capThreads(null, { ...ROOMY, openFiles: 1_024 });
    expect(cap).to.deep.equal({ maxThreads: 219, cause: 'openFiles' });
    const plan = planThreads(500, cap);
    expect(plan).to.include({ threads: 50, lanesPerThreadMax: 10 });
    expect(plan.sentence).to.equal(
      '500 lanes in 50 threads, up to 10 lanes in each: the limit of open files (ulimit -n) allows a thread each up to 219',
    );
  });

  it('packs in tens beyond the wall, so that a bar close wakes few threads', () => {
    const roomy = capThreads(null, ROOMY);
    expect(roomy).to.deep.equal({ maxThreads: 250, cause: 'sense' });
    const threadsFor = (lanes: number): number => planThreads(lanes, roomy).threads;
    expect([250, 251, 500, 700, 1_000, 5_000].map(threadsFor)).to.deep.equal([250, 50, 50, 50, 50, 50]);
    expect(planThreads(5_000, roomy).lanesPerThreadMax).to.equal(100);
  });

  it('never plans more threads than the machine bears', () => {
    const small = capThreads(null, { ...ROOMY, memoryBytes: 2 ** 29 });
    expect(small).to.deep.equal({ maxThreads: 25, cause: 'memory' });
    expect(planThreads(500, small)).to.include({ threads: 25, lanesPerThreadMax: 20 });
  });

  it('stays inside half of a small machine', () => {
    expect(capThreads(null, { ...ROOMY, memoryBytes: 2 ** 30 })).to.deep.equal({
      maxThreads: 51,
      cause: 'memory',
    });
  });

  it('leaves one thread when nothing fits', () => {
    expect(capThreads(null, { openFiles: 64, memoryBytes: 2 ** 30 }).maxThreads).to.equal(1);
  });

  it('does what the configuration says, whatever the limits', () => {
    expect(capThreads(7, { openFiles: 64, memoryBytes: 0 })).to.deep.equal({
      maxThreads: 7,
      cause: 'setting',
    });
    const plan = planThreads(20, capThreads(7, ROOMY));
    expect(plan).to.include({ threads: 7, lanesPerThreadMax: 3 });
    expect(plan.sentence).to.equal('20 lanes in 7 threads, up to 3 lanes in each: lanes.maxThreads allows 7');
    expect(planThreads(500, capThreads(400, ROOMY)).threads).to.equal(400);
    expect(() => capThreads(0, ROOMY)).to.throw('1 or more');
  });

  it('cuts any number of lanes into even runs that keep order and lose nobody', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(), { maxLength: 600 }),
        fc.integer({ min: 1, max: 300 }),
        (items, threads) => {
          const packs = packEvenly(items, threads);
          expect(packs.flat()).to.deep.equal(items);
          expect(packs.length).to.equal(Math.min(threads, items.length));
          const sizes = packs.map((pack) => pack.length);
          if (sizes.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(1);
        },
      ),
    );
  });
});

describe('open files limit', () => {
  it("is the soft limit of Linux's table", () => {
    const line = 'Max open files            1024                 524288               files     ';
    expect(openFilesOf(`Limit    Soft Limit   Hard Limit  Units\n${line}\n`)).to.equal(1_024);
  });

  it('is the usual one where the system does not say', () => {
    expect(openFilesOf(null)).to.equal(1_024);
    expect(openFilesOf('nothing known')).to.equal(1_024);
  });

  it('may be none', () => {
    expect(openFilesOf('Max open files  unlimited  unlimited  files')).to.equal(Number.POSITIVE_INFINITY);
  });
});
