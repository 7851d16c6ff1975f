import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type KillFile, watchKillFile } from '../../lib/adapters/control/kill-file.ts';
import { killFilePath } from '../../lib/adapters/control/socket-path.ts';
import { openKillDoors } from '../../lib/app/kill-doors.ts';
import { operatorHandlers } from '../../lib/app/operator-handlers.ts';
import type { Engine } from '../../lib/engine/engine-types.ts';
import { type LoggedLine, loggingTo } from '../engine/support.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const LOOK_MILLIS = 5;

describe('kill file', () => {
  const open: KillFile[] = [];
  let wake: () => void = () => undefined;
  const news: string[] = [];

  function start(path: string): KillFile {
    const file = watchKillFile(
      path,
      {
        onSeen({ by, why }) {
          expect(by).to.match(/\(kill file\)$/);
          news.push(`seen: ${why}`);
          wake();
        },
        onGone() {
          news.push('gone');
          wake();
        },
      },
      LOOK_MILLIS,
    );
    open.push(file);
    return file;
  }

  /** Waits for so much news; the test's own limit is one for it. */
  const untilNews = async (count: number): Promise<void> => {
    while (news.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };

  afterEach(() => {
    for (const file of open.splice(0)) file.close();
    news.splice(0);
    removeScratch();
  });

  it('kills with its first line as the reason, once, and tells when it is taken away', async () => {
    const path = join(scratch(), 'scalpd.kill');
    const file = start(path);
    expect([news, file.isThere()]).to.deep.equal([[], false]);
    writeFileSync(`${path}.new`, 'fire in\u0007 the house\nand more\n');
    renameSync(`${path}.new`, path);
    await untilNews(1);
    expect(file.isThere()).to.equal(true);
    rmSync(path);
    await untilNews(2);
    expect(news).to.deep.equal(['seen: fire in  the house', 'gone']);
    expect(file.isThere()).to.equal(false);
  });

  it('that is there at the start kills at the start', () => {
    const path = join(scratch(), 'scalpd.kill');
    writeFileSync(path, 'x'.repeat(100_000));
    start(path);
    expect(news).to.deep.equal([`seen: ${'x'.repeat(200)}`]);
  });

  it('kills when it says nothing, cannot be read, or is something else: in doubt it is there', () => {
    const folder = scratch();
    const make: Record<string, (path: string) => void> = {
      'says nothing': (path) => writeFileSync(path, ''),
      'no plain file': (path) => mkdirSync(path),
      // Neither followed nor read: it could lead to a secret, or to a pipe that never answers.
      'is no plain': (path) => symlinkSync('/etc/passwd', path),
    };
    if (process.platform !== 'win32') make['no plain'] = (path) => void spawnSync('mkfifo', [path]);
    for (const [word, put] of Object.entries(make)) {
      const path = join(folder, word.replaceAll(' ', '-'));
      put(path);
      start(path);
      expect(news.splice(0).join(), word).to.include(word);
    }
  });

  it('is waited for in a folder that is not there yet', async () => {
    const path = join(scratch(), 'later', 'scalpd.kill');
    start(path);
    mkdirSync(join(path, '..'));
    writeFileSync(path, 'now');
    await untilNews(1);
    expect(news).to.deep.equal(['seen: now']);
  });

  it('lies beside the journal when the configuration names no other place', () => {
    expect(killFilePath('/srv/scalpd/data/scalpd.db')).to.equal('/srv/scalpd/data/scalpd.kill');
  });
});

describe('the kill switch by file and signal', () => {
  afterEach(removeScratch);

  it('says who and why, and is not cleared above a file that still lies there', () => {
    const file = join(scratch(), 'scalpd.kill');
    writeFileSync(file, 'risk desk says so\n');
    const kills: string[] = [];
    const resumed: string[] = [];
    const engine = {
      kill: ({ by, why }: { by: string; why: string }) => {
        kills.push(`${by}: ${why}`);
        return { kind: 'done' };
      },
      resume: ({ by }: { by: string }) => {
        resumed.push(by);
        return { kind: 'done' };
      },
    } as unknown as Engine;
    const lines: LoggedLine[] = [];
    let signal: () => void = () => undefined;
    const doors = openKillDoors(engine, loggingTo(lines), {
      file,
      onSignal: (listener) => {
        signal = listener;
      },
    });
    try {
      signal();
      expect(kills).to.have.length(2);
      expect(kills[0]).to.match(/\(kill file\): risk desk says so$/);
      expect(kills[1]).to.match(/^a signal to pid \d+: SIGUSR2/);
      expect(lines.map(({ event }) => event)).to.deep.equal(['kill.file']);
      const { resume } = operatorHandlers(engine, doors.isHeld);
      const ask = { kind: 'resume', by: 'ann', why: 'calm', symbol: null } as const;
      expect(resume({ ...ask, clearLatches: true })).to.include({ ok: false, code: 'killFile' });
      expect(resumed).to.deep.equal([]);
      expect(resume({ ...ask, clearLatches: false })).to.include({ ok: true });
    } finally {
      doors.close();
    }
    signal();
    expect(kills, 'a closed door is no door').to.have.length(2);
  });
});
