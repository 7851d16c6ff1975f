import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { projectFile } from '../../lib/app/project.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const PM2 = projectFile('node_modules/pm2/bin/pm2');

/** Stands in for the daemon: ready at once, ends in its own way on SIGINT, and leaves a trace of both. */
const PROGRAM = `
import { appendFileSync } from 'node:fs';
appendFileSync('events', 'start ' + process.argv.slice(2).join(' ') + '\\n');
if (process.env.SCALPD_TEST === 'config') process.exit(2);
const alive = setInterval(() => undefined, 1_000);
process.on('SIGINT', () => {
  appendFileSync('events', 'flat\\n');
  clearInterval(alive);
  process.exit(0);
});
process.send('ready');
`;

describe('pm2', () => {
  const root = scratch();
  const env = { ...process.env, PM2_HOME: join(root, '.pm2') };
  const pm2 = async (
    args: readonly string[],
    extra: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const { stdout } = await promisify(execFile)(process.execPath, [PM2, ...args], {
      cwd: root,
      env: { ...env, ...extra },
    });
    return stdout;
  };
  const events = (): readonly string[] => readFileSync(join(root, 'events'), 'utf8').trim().split('\n');

  before(() => {
    cpSync(projectFile('ecosystem.config.js'), join(root, 'ecosystem.config.js'));
    mkdirSync(join(root, 'scripts'));
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(root, 'scripts', 'bootstrap.mjs'), PROGRAM);
  });
  after(async () => {
    await pm2(['kill']);
    removeScratch();
  });

  it('starts one daemon from ecosystem.config.js, reloads it and stops it, each time by its own end', async function () {
    this.timeout(120_000);
    await pm2(['start', 'ecosystem.config.js']);
    expect(events()).to.deep.equal(['start scalpd run']);
    await pm2(['reload', 'scalpd']);
    expect(events()).to.deep.equal(['start scalpd run', 'flat', 'start scalpd run']);
    await pm2(['stop', 'scalpd']);
    expect(events().at(-1)).to.equal('flat');
    await pm2(['delete', 'scalpd']);
  });

  it('brings back a daemon that was killed, but not one whose configuration is wrong', async function () {
    this.timeout(120_000);
    const text = readFileSync(join(root, 'ecosystem.config.js'), 'utf8');
    writeFileSync(join(root, 'wrong.config.js'), text.replace("name: 'scalpd'", "name: 'wrong'"));
    await pm2(['start', 'wrong.config.js'], { SCALPD_TEST: 'config' });
    await pm2(['start', 'ecosystem.config.js']);
    process.kill(Number(await pm2(['pid', 'scalpd'])), 'SIGKILL');
    // Both ended by a code that pm2 takes for 0 and 2; the one that was killed is the clock for the other.
    let restarts = await restartsByName();
    while (restarts.get('scalpd') !== 1) restarts = await restartsByName();
    expect(restarts.get('wrong')).to.equal(0);
  });

  async function restartsByName(): Promise<ReadonlyMap<string, number>> {
    const list = await pm2(['jlist']);
    const apps = JSON.parse(list.slice(list.indexOf('['))) as readonly {
      readonly name: string;
      readonly pm2_env: { readonly restart_time: number };
    }[];
    return new Map(apps.map(({ name, pm2_env }) => [name, pm2_env.restart_time]));
  }
});
