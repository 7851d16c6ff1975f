import { expect } from 'chai';
import { after as later, seconds } from '../../lib/domain/time.ts';
import { CAUSE, entry, exit, gatewayWorld as world } from './gateway-stand.ts';
import { brokerIdOf, intentOf, reportOn, SPY, START } from './support.ts';

describe('entries at the gateway', () => {
  const stops: Readonly<Record<string, (of: ReturnType<typeof world>) => void>> = {
    dataFeedDown: ({ gates }) => gates.dataFeed(false),
    tradeFeedDown: ({ gates }) => gates.tradeFeed(false, START),
    paused: ({ modes }) => modes.set(SPY, { reason: 'pause', mode: 'paused', by: 'ann' }),
    exitOnly: ({ modes }) => modes.set(null, { reason: 'kill', mode: 'flattening', by: 'ann' }),
    afterCutoff: ({ state }) => {
      state.cutoffAt = later(START, seconds(2));
    },
  };
  for (const [code, happen] of Object.entries(stops))
    it(`an entry that waits does not leave into what came meanwhile: ${code}`, async () => {
      const all = world();
      const { bucket, submit, run, submits, codes, lines } = all;
      bucket.pause(later(START, seconds(3)));
      submit(entry(1));
      await run(1);
      happen(all);
      await run(4);
      expect(submits()).to.deep.equal([]);
      expect(codes()).to.deep.equal([`denied ${code}`]);
      const [refused] = lines.filter(({ event }) => event === 'lane.entry.refused');
      expect(refused?.fields).to.include({ code });
      submit(exit(2));
      await run(5);
      expect(submits(), 'an exit goes').to.deep.equal([`submit ${exit(2).clientOrderId}`]);
    });

  it('a gate that shut and opened again while an entry waited lets it leave', async () => {
    const { bucket, gates, submit, run, submits } = world();
    bucket.pause(later(START, seconds(3)));
    submit(entry(1));
    await run(1);
    gates.dataFeed(false);
    await run(2);
    gates.dataFeed(true);
    await run(4);
    expect(submits()).to.have.length(1);
  });

  it('entries leave the reserve to exits, bail-outs and cancels', async () => {
    const { broker, gateway, tracker, submit, run, submits, codes } = world({ limit: 10 });
    submit(exit(100));
    await run(0);
    tracker.heard(reportOn(exit(100), 'new'));
    for (let n = 1; n <= 10; n += 1) submit(entry(n));
    await run(1);
    expect(submits(), 'ten less two').to.have.length(8);
    submit(intentOf('bailOut', 101));
    gateway.cancel(
      SPY,
      { kind: 'cancel', clientOrderId: exit(100).clientOrderId, purpose: 'bailOut' },
      CAUSE,
    );
    await run(1);
    expect(submits().at(-1)).to.equal(`submit ${exit(101).clientOrderId}`);
    expect(broker.asked).to.include(`cancel ${brokerIdOf(exit(100).clientOrderId)}`);
    await run(30);
    expect(submits(), 'nothing is left for the other three').to.have.length(9);
    expect(codes().filter((code) => code === 'expired')).to.have.length(3);
  });
});
