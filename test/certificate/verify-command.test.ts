import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { certificatePath } from '../../lib/app/certificate-file.ts';
import { runCli } from '../../lib/app/cli.ts';
import type { Io } from '../../lib/app/command.ts';
import { DAY } from '../engine/simulated-day.ts';
import { removeScratch, scratch } from '../support/scratch.ts';
import { alterRecords, certifiedDay, copyOf, type Place } from './certified-day.ts';

describe('scalpd verify as a command', function () {
  this.timeout(60_000);
  let original: Place;
  before(async () => {
    original = await certifiedDay();
  });
  after(removeScratch);
  const copy = (): Place => copyOf(original);

  const ask = async (...args: readonly string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCli(['verify', ...args], ioOf(out, err));
    return { code, out: out.join('\n'), err: err.join('\n') };
  };
  const at = ({ journalPath, reportsDir }: Place): readonly string[] => [
    '--journal',
    journalPath,
    '--reports',
    reportsDir,
  ];

  it('ends with 0 and the facts when everything is as it was written', async () => {
    const { code, out, err } = await ask(DAY, ...at(original));
    expect({ code, err }).to.deep.equal({ code: 0, err: '' });
    expect(out).to.match(/chain intact, head [0-9a-f]{64}\n/);
    expect(out).to.match(/\nverified$/);
    const json = await ask(DAY, ...at(original), '--json');
    expect(JSON.parse(json.out)).to.deep.include({ ok: true, day: DAY });
  });

  it('ends with 1 and the reason when something was altered', async () => {
    const place = copy();
    alterRecords(place, 'UPDATE record SET at = at + 1 WHERE id = 12');
    const { code, out, err } = await ask(DAY, ...at(place));
    expect(code).to.equal(1);
    expect(out)
      .to.include('chain BROKEN at record 12')
      .and.to.match(/\nnot verified$/);
    expect(err).to.include(`${DAY} is not verified: the chain breaks at record 12`);
    const json = await ask(DAY, ...at(place), '--json');
    expect(JSON.parse(json.out)).to.deep.include({ ok: false });
  });

  it('ends with 1 when there is no journal, no such day, or no certificate, and says which', async () => {
    const none = join(scratch(), 'none.db');
    const absent = await ask(DAY, '--journal', none);
    expect(absent).to.deep.include({ code: 1, out: '' });
    expect(absent.err).to.include(`the journal must exist: ${none}`);
    expect(existsSync(none)).to.equal(false);
    expect(JSON.parse((await ask(DAY, '--journal', none, '--json')).out)).to.deep.include({
      ok: false,
      code: 'journal.absent',
    });

    const empty = await ask('2026-10-06', ...at(original));
    expect(empty.code).to.equal(1);
    expect(empty.err).to.include('the journal must have records of 2026-10-06');

    const place = copy();
    rmSync(certificatePath(place.reportsDir, DAY));
    const uncertified = await ask(DAY, ...at(place));
    expect(uncertified.code).to.equal(1);
    expect(uncertified.out).to.include('chain intact').and.to.include('certificate  none');
    expect(uncertified.err).to.include('there must be a certificate');

    writeFileSync(certificatePath(place.reportsDir, DAY), '{');
    expect((await ask(DAY, ...at(place))).err).to.include('the certificate must be JSON');
    writeFileSync(certificatePath(place.reportsDir, DAY), '{}');
    expect((await ask(DAY, ...at(place))).err).to.include(
      'the certificate must name the journal record it covers',
    );
  });

  it('ends with 2 on a day that is none, and explains itself', async () => {
    expect((await ask('yesterday', ...at(original))).code).to.equal(2);
    expect((await ask()).code).to.equal(2);
    const help = await ask('--help');
    expect(help.code).to.equal(0);
    expect(help.out).to.include('--journal <FILE>').and.to.include('Exit codes: 0 nothing was altered');
  });
});

function ioOf(out: string[], err: string[]): Io {
  return {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    write: () => undefined,
    isTty: false,
    env: {},
    cwd: process.cwd(),
    readerGone: new AbortController().signal,
    stopSignals: () => {
      throw new Error('a check needs no signals');
    },
  };
}
