import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** The long runs of this folder, short: that they run, judge, and say what they found. */
describe('long runs in short', () => {
  async function run(
    program: string,
    ...args: string[]
  ): Promise<{ code: number; out: string; err: string }> {
    const file = fileURLToPath(new URL(program, import.meta.url));
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, out, err };
  }

  it('runs two sessions in one process, and counts what each added', async function () {
    this.timeout(300_000);
    const { code, out, err } = await run(
      './sessions.js',
      '--sessions',
      '2',
      '--symbols',
      '2',
      '--speed',
      '900',
    );
    expect(code, err).to.equal(0);
    const [first, second, all] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([first.session, second.session]).to.deep.equal([1, 2]);
    for (const { roundTrips, rssMb, handles, threads, journalMb } of [first, second])
      for (const figure of [roundTrips, rssMb, handles, threads, journalMb]) expect(figure).to.be.above(0);
    expect(all).to.include({ sessions: 2, symbols: 2 });
  });

  it('answers wrong usage with exit code 2, and --help with the options', async () => {
    for (const program of ['./sessions.js', './kills.js']) {
      const wrong = await run(program, '--speed', 'fast');
      expect(wrong.code).to.equal(2);
      expect(wrong.err).to.match(/^--speed must be 1 to \d+; found fast\n$/);
      const unknown = await run(program, '--fast');
      expect(unknown.code).to.equal(2);
      const help = await run(program, '--help');
      expect(help.code).to.equal(0);
      expect(help.out).to.include('--seed <N>').and.to.include('--speed <N>');
    }
  });
});
