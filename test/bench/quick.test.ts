import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

describe('benchmarks', function () {
  this.timeout(120_000);

  it('run with tiny input and print a figure a line, each with its floor', async () => {
    const file = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [file, '--quick']);
    const figures = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const benches = new Set(figures.map(({ bench }) => bench));
    expect([...benches]).to.have.members([
      'bar-close',
      'exchange',
      'exit-load',
      'exit-path',
      'lanes',
      'many',
      'market-data',
      'overload',
      'ports',
      'start',
    ]);
    for (const figure of figures) {
      expect(figure.name, JSON.stringify(figure)).to.be.a('string');
      expect(figure.median, JSON.stringify(figure)).to.be.greaterThan(0);
      expect(figure.min).to.be.at.most(figure.median);
      expect(figure.max).to.be.at.least(figure.median);
      if (figure.floor !== null) expect(figure.ratio, JSON.stringify(figure)).to.be.greaterThan(0);
    }
    const taken = figures.filter(({ name }) => name.startsWith('trades taken of those sent'));
    expect(taken.map(({ median }) => median)).to.deep.equal([100]);
  });

  it('are named when one is asked for that does not exist', async () => {
    const file = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
    const failed = await promisify(execFile)(process.execPath, [file, 'nothing']).catch((error) => error);
    expect(failed).to.include({ code: 2, stderr: 'no benchmark is named nothing\n' });
  });
});
