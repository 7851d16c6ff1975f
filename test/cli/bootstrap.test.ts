import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectFile } from '../../lib/app/project.ts';
import { removeScratch, scratch } from '../support/scratch.ts';

const PROGRAM = `
const [task = 'none', ...rest] = process.argv.slice(2);
if (task === 'wait') {
  const alive = setInterval(() => undefined, 1_000);
  // Getting out takes a moment, as it does in life: npm passes on the signal that the terminal has already delivered.
  process.on('SIGINT', () => { process.exitCode = 4; setTimeout(() => clearInterval(alive), 500); });
}
if (task === 'exit') process.exitCode = Number(rest[0]);
process.stdout.write(JSON.stringify({ task, rest }) + '\\n');
`;

/** What npm leaves behind, for as many packages as the lock file names; and how npm is called. */
const NPM = `
const fs = require('node:fs');
fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
if (fs.existsSync('offline')) { console.error('npm error network'); process.exit(1); }
const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
delete lock.packages['node_modules/other-platform'];
fs.mkdirSync('node_modules/one', { recursive: true });
fs.writeFileSync('node_modules/one/package.json', '{}');
fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify(lock));
if (!fs.existsSync('node_modules/typescript')) fs.symlinkSync(process.env.TYPESCRIPT, 'node_modules/typescript');
`;

type Run = { readonly code: number | null; readonly out: string; readonly err: string };

class Clone {
  readonly root = scratch();

  constructor(version = '1.0.0') {
    cpSync(projectFile('scripts'), join(this.root, 'scripts'), { recursive: true });
    this.write('package.json', '{ "type": "module", "engines": { "node": ">=20.19" } }');
    this.lock(version);
    this.write(
      'tsconfig.json',
      readFileSync(projectFile('tsconfig.json'), 'utf8').replace('"types": ["node", "mocha"]', '"types": []'),
    );
    this.write('bin/scalpd.ts', `// @ts-nocheck\nexport {};\n${PROGRAM}`);
    this.write('npm-cli.cjs', NPM);
  }

  lock(version: string): void {
    const packages = {
      '': {},
      'node_modules/one': { version },
      'node_modules/other-platform': { version: '1.0.0', optional: true },
    };
    this.write('package-lock.json', JSON.stringify({ packages }));
  }

  write(path: string, text: string): void {
    mkdirSync(join(this.root, path, '..'), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  npmCalls(): number {
    const file = join(this.root, 'npm-calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
  }

  start(...args: string[]): {
    readonly kill: (signal: NodeJS.Signals) => void;
    readonly done: Promise<Run>;
    readonly said: Promise<void>;
  } {
    const child = spawn(process.execPath, ['scripts/bootstrap.mjs', ...args], {
      cwd: this.root,
      env: {
        ...process.env,
        npm_execpath: join(this.root, 'npm-cli.cjs'),
        TYPESCRIPT: projectFile('node_modules/typescript'),
      },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    return {
      kill: (signal) => child.kill(signal),
      said: once(child.stdout, 'data').then(() => undefined),
      done: once(child, 'close').then(([code]) => ({ code: code as number | null, out, err })),
    };
  }

  run(...args: string[]): Promise<Run> {
    return this.start(...args).done;
  }
}

describe('bootstrap', function () {
  this.timeout(60_000);
  after(removeScratch);

  it('installs and builds a fresh clone, says so, and repeats neither when nothing has changed', async () => {
    const clone = new Clone();
    const first = await clone.run('scalpd', 'a', '--b');
    expect(first.err)
      .to.match(/installing dependencies \(nothing is installed/)
      .and.match(/scalpd: building/);
    expect(first).to.include({ code: 0, out: '{"task":"a","rest":["--b"]}\n' });
    expect(await clone.run('scalpd')).to.deep.equal({ code: 0, out: '{"task":"none","rest":[]}\n', err: '' });
    expect(clone.npmCalls()).to.equal(1);

    clone.write('bin/scalpd.ts', 'export {};\n');
    expect(await clone.run('scalpd')).to.deep.equal({ code: 0, out: '', err: 'scalpd: building\n' });
    clone.lock('1.0.1');
    expect((await clone.run('scalpd')).err).to.include('installing dependencies (one is not at 1.0.1)');
    rmSync(join(clone.root, 'node_modules', 'one'), { recursive: true });
    expect((await clone.run('scalpd')).err).to.include('node_modules/one is missing');
    expect(clone.npmCalls()).to.equal(3);
  });

  it('runs npm start as the demo, with the exit code of the program', async () => {
    const clone = new Clone();
    expect((await clone.run('demo', '--seed', '7')).out).to.equal('{"task":"demo","rest":["--seed","7"]}\n');
    expect((await clone.run('scalpd', 'exit', '4')).code).to.equal(4);
    expect((await clone.run('nonsense')).code).to.equal(2);
  });

  it('lets the program end in its own way on a signal', async () => {
    const clone = new Clone();
    const running = clone.start('scalpd', 'wait');
    await running.said;
    running.kill('SIGINT');
    expect((await running.done).code).to.equal(4);
  });

  it('gives npm the exit code of the program after a Ctrl-C, which reaches npm, its shell and the program', async () => {
    const clone = new Clone();
    await clone.run('scalpd');
    const { scripts } = JSON.parse(readFileSync(projectFile('package.json'), 'utf8')) as { scripts: object };
    clone.write('package.json', JSON.stringify({ type: 'module', engines: { node: '>=20.19' }, scripts }));
    // A group of its own, as the terminal makes one for each command.
    const npm = spawn('npm', ['run', '--silent', 'scalpd', '--', 'wait'], {
      cwd: clone.root,
      detached: true,
    });
    await once(npm.stdout, 'data');
    process.kill(-(npm.pid ?? 0), 'SIGINT');
    const [code, signal] = await once(npm, 'close');
    expect({ code, signal }).to.deep.equal({ code: 4, signal: null });
  });

  it('keeps the last good build when the sources do not compile', async () => {
    const clone = new Clone();
    await clone.run('scalpd');
    const built = join(clone.root, 'dist', 'bin', 'scalpd.js');
    const before = statSync(built).mtimeMs;
    clone.write('bin/scalpd.ts', 'const x: number = "text";\n');
    const broken = await clone.run('scalpd');
    expect(broken.code).to.equal(1);
    expect(broken.out).to.equal('');
    expect(broken.err).to.include('must compile');
    expect(statSync(built).mtimeMs).to.equal(before);
  });

  it('leaves no compiled file whose source is gone', async () => {
    const clone = new Clone();
    clone.write('lib/old.ts', 'export const old = 1;\n');
    await clone.run('scalpd');
    expect(existsSync(join(clone.root, 'dist', 'lib', 'old.js'))).to.equal(true);
    rmSync(join(clone.root, 'lib', 'old.ts'));
    await clone.run('scalpd');
    expect(existsSync(join(clone.root, 'dist', 'lib', 'old.js'))).to.equal(false);
  });

  it('explains a failed install', async () => {
    const clone = new Clone();
    clone.write('offline', '');
    const failed = await clone.run('scalpd');
    expect(failed.code).to.equal(1);
    expect(failed.err).to.include('npm error network').and.include('needs the package registry');
    rmSync(join(clone.root, 'offline'));
    expect((await clone.run('scalpd')).code).to.equal(0);
  });

  it('lets one of several work and the others wait, and takes over from one that was killed', async () => {
    const clone = new Clone();
    const runs = await Promise.all([
      clone.run('scalpd', '1'),
      clone.run('scalpd', '2'),
      clone.run('scalpd', '3'),
    ]);
    expect(runs.map(({ code }) => code)).to.deep.equal([0, 0, 0]);
    expect(clone.npmCalls()).to.equal(1);
    expect(runs.filter(({ err }) => err.includes('building'))).to.have.length(1);

    const dead = spawn(process.execPath, ['-e', '']);
    await once(dead, 'exit');
    clone.write('.build/bootstrap.lock', String(dead.pid));
    expect((await clone.run('scalpd')).code).to.equal(0);
    expect(existsSync(join(clone.root, '.build', 'bootstrap.lock'))).to.equal(false);
  });
});
